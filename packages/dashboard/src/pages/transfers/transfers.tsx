import { levels } from '@arriero/api'
import { Button } from '../../components/button.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { Table } from '../../components/table.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { useConditions } from '../../routing/use-conditions.ts'
import { useServices } from '../../services.ts'
import { useLevel } from '../../session/use-level.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { formatFiles } from '../../text/bytes.ts'
import { columnsOf } from './columns.tsx'
import { countText, directionOf, stateIn, transferStates } from './queries.ts'
import { retryAll } from './retry-all.ts'
import { SitesOf } from './sites-of.tsx'

const PAGE = 50

/** What is on its way, each direction for itself, the newest first. */
export default function TransfersPage() {
  const { api, toasts } = useServices()
  const { of, to } = useConditions()
  const isAdmin = useLevel() >= levels.ADMIN
  const direction = directionOf(of('direction'))
  const state = stateIn(of('state'))
  const conditions = { direction, state, librarian_name: of('site') || undefined, after: of('after') || undefined }
  const { data, error, isLoading, again } = useAnswer(
    signal => api.dashboard.transfers({ ...conditions, limit: PAGE }, { signal }),
    Object.values(conditions),
    { topics: ['transfers'] },
  )
  const retry = async (ids: readonly number[]) => {
    const { done, failure } = await retryAll(ids, id => api.dashboard.transferRetry({ direction: 'out', id }))
    if (done > 0) toasts.tell(`${formatFiles(done, 'transfer')} will be tried again.`)
    again()
    if (failure !== undefined) throw failure
  }
  const failed = data?.transfers.filter(row => row.may_retry && row.state === 'FAILED') ?? []
  const whose = of('site') === '' ? '' : direction === 'in' ? ` from ${of('site')}` : ` to ${of('site')}`
  return (
    <>
      <PageHead title="Transfers" />
      <Tabs
        label="Direction"
        tabs={(['out', 'in'] as const).map(each => ({
          key: each,
          to: to({ direction: each, site: undefined, state: undefined }),
          isCurrent: each === direction,
          children: each === 'out' ? 'Going out' : 'Coming in',
        }))}
      />
      <SitesOf direction={direction} chosen={of('site')} />
      <Section
        title={`${direction === 'out' ? 'Going out' : 'Coming in'}${whose}`}
        note="of those that have ended, the last day is counted"
      >
        <Tabs
          label="State"
          tabs={[undefined, ...transferStates].map(each => ({
            key: each ?? 'all',
            to: to({ state: each }),
            isCurrent: each === state,
            children: countText(data?.counts, each),
          }))}
        />
        {isAdmin && failed.length > 1 && (
          <div class="actions above">
            <Button onPress={() => retry(failed.map(({ id }) => id))}>
              Try the {formatFiles(failed.length, 'failed transfer')} on this page again
            </Button>
          </div>
        )}
        <Table
          caption="Transfers"
          columns={columnsOf(direction, isAdmin ? id => retry([id]) : undefined)}
          rows={data?.transfers}
          keyOf={({ id }) => id}
          empty="There are none."
          error={error}
          again={again}
          isLoading={isLoading}
        />
        <Pager next={data?.next} />
      </Section>
    </>
  )
}

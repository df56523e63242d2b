import type { AnswerOf, endpoints } from '@arriero/api'
import { Button } from '../../components/button.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { SearchField } from '../../components/search-field.tsx'
import { stateOf } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time, TimeBy } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { pathOf } from '../../routing/match.ts'
import { useConditions } from '../../routing/use-conditions.ts'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'

type Row = AnswerOf<typeof endpoints.admin.trashList>['trash'][number]

const PAGE = 50

const shown: readonly Column<Row>[] = [
  {
    key: 'file',
    label: 'File',
    isTitle: true,
    cell: ({ file_name }) => <Link to={pathOf('/files', file_name)}>{file_name}</Link>,
  },
  { key: 'store', label: 'Store', cell: ({ store_name }) => store_name },
  { key: 'why', label: 'Why', cell: ({ reason }) => <span class="message">{reason}</span> },
  {
    key: 'when',
    label: 'Deleted',
    cell: ({ deleted_time, deleted_by }) => <TimeBy at={deleted_time} who={deleted_by} />,
  },
  { key: 'purge', label: 'Kept until', cell: ({ purge_time }) => <Time at={purge_time} /> },
]

/** Deleted copies that can still be brought back. */
export default function TrashPage() {
  const { api, toasts } = useServices()
  const { of, set } = useConditions()
  const asked = { store_name: of('store') || undefined, after: of('after') || undefined }
  const { data, error, isLoading, again } = useAnswer(
    signal => api.admin.trashList({ ...asked, max_results: PAGE }, { signal }),
    Object.values(asked),
    { topics: ['trash'] },
  )
  const restore = async ({ trash_id, store_name }: Row) => {
    const { file_name, state } = await api.admin.trashRestore({ trash_id })
    const found = state === 'ok' ? 'it was read, and is good' : `but it is not served: ${stateOf(state).label}`
    toasts.tell(`The copy of ${file_name} on ${store_name} is back: ${found}.`)
    again()
  }
  const act: Column<Row> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: row => (
      <Button label={`Restore ${row.file_name} on ${row.store_name}`} onPress={() => restore(row)}>
        Restore
      </Button>
    ),
  }
  return (
    <>
      <PageHead title="Trash" />
      <Section title="Deleted copies" note="oldest first; afterwards a copy goes for good, if enough good ones remain">
        <div class="filters">
          <SearchField label="Store" value={of('store')} onSearch={store => set({ store })} />
        </div>
        <Table
          caption="Deleted copies"
          columns={[...shown, act]}
          rows={data?.trash}
          keyOf={({ trash_id }) => trash_id}
          empty="The trash is empty."
          error={error}
          again={again}
          isLoading={isLoading}
        />
        <Pager next={data?.next} forward="Newer" first="Oldest" />
      </Section>
    </>
  )
}

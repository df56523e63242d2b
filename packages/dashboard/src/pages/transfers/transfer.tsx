import { type AnswerOf, type endpoints, levels } from '@arriero/api'
import { Button } from '../../components/button.tsx'
import { Facts, PageHead, Section } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { StateOf } from '../../components/state.tsx'
import { Bytes, Count, None, Time } from '../../components/texts.tsx'
import type { PageProps } from '../../pages.ts'
import { Link } from '../../routing/link.tsx'
import { pathOf } from '../../routing/match.ts'
import { useServices } from '../../services.ts'
import { useLevel } from '../../session/use-level.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { type Direction, parseTransferPath } from './queries.ts'

type Answer = AnswerOf<typeof endpoints.dashboard.transfer>

/** A transfer, with its way so far. */
export default function TransferPage({ rest }: PageProps) {
  const asked = parseTransferPath(rest)
  if (asked) return <Transfer {...asked} />
  return <PageHead title="There is no such transfer" />
}

interface TransferProps {
  readonly direction: Direction
  readonly id: number
}

function Transfer({ direction, id }: TransferProps) {
  const { api, router, toasts } = useServices()
  const isAdmin = useLevel() >= levels.ADMIN
  const { data, error, again } = useAnswer(
    signal => api.dashboard.transfer({ direction, id }, { signal }),
    [direction, id],
    { topics: ['transfers'] },
  )
  const retry = async () => {
    const under = await api.dashboard.transferRetry({ direction: 'out', id })
    toasts.tell('It will be tried again.')
    if (under.id === id) again()
    else router.go(`/transfers/out/${under.id}`)
  }
  return (
    <>
      <PageHead title={`Transfer ${id}, ${direction === 'in' ? 'coming in' : 'going out'}`}>
        {isAdmin && data?.transfer.may_retry && (
          <Button kind="main" onPress={retry}>
            Try again
          </Button>
        )}
      </PageHead>
      {error && <Problem error={error} again={again} />}
      {data ? <Parts of={data} direction={direction} /> : !error && <p class="loading">Loading…</p>}
    </>
  )
}

function Parts({ of, direction }: { readonly of: Answer; readonly direction: Direction }) {
  const { transfer, remote_id, store_name, checksum, batch, timeline } = of
  return (
    <>
      <Section title="What it is">
        <Facts
          of={[
            ['File', <FileLink key="file" name={transfer.file_name} />],
            ['State', <StateOf key="state" state={transfer.state} />],
            [direction === 'in' ? 'From' : 'To', transfer.librarian_name],
            ['Number there', <Count key="remote" of={remote_id} />],
            ['Size', <Bytes key="size" of={transfer.size} />],
            ['By', transfer.method ?? <None key="method" why="not chosen yet" />],
            ...(direction === 'in'
              ? [['Store', store_name ?? <None key="store" why="not chosen yet" />] as const]
              : []),
            ['Checksum', <code key="sum">{checksum}</code>],
            ...(transfer.reason === null ? [] : [['Why it stands so', transfer.reason] as const]),
          ]}
        />
      </Section>
      {batch && (
        <Section title={`Batch ${batch.id}`} note="sent together">
          <Facts
            of={[
              ['Files', <Count key="files" of={batch.files} />],
              ['Size', <Bytes key="bytes" of={batch.bytes} />],
              ['Tried again', <Count key="retries" of={batch.retries} />],
              ['Next attempt', <Time key="next" at={batch.next_time} />],
            ]}
          />
        </Section>
      )}
      <Section title="Timeline" note="oldest first">
        <ol class="history">
          {timeline.map(({ time, what, detail }, index) => (
            // A line is told apart by nothing else, and none moves.
            <li key={index}>
              <Time at={time} form="time" />
              <b>{words[what] ?? what}</b>
              <span class="soft">{detail}</span>
            </li>
          ))}
        </ol>
      </Section>
    </>
  )
}

function FileLink({ name }: { readonly name: string | null }) {
  return name === null ? <None why="not known" /> : <Link to={pathOf('/files', name)}>{name}</Link>
}

/** The wire’s words, where ours say more. */
const words: Readonly<Record<string, string>> = {
  queued: 'put into a batch',
  moving: 'handed to a method',
  active: 'bytes last moved',
  moved: 'all bytes moved',
  'next-try': 'next attempt',
  cancelled: 'given up',
  seen: 'seen there',
}

import type { AnswerOf, endpoints } from '@arriero/api'
import { Button } from '../../components/button.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { State, StateOf } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { None, Time } from '../../components/texts.tsx'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { parseTime } from '../../text/time.ts'
import { countsText, rankOf, runText } from './task-texts.ts'

type Row = AnswerOf<typeof endpoints.tasks.list>['tasks'][number]

const shown: readonly Column<Row>[] = [
  {
    key: 'name',
    label: 'Task',
    isTitle: true,
    cell: ({ name, kind }) => (
      <span class="told">
        {name}
        <code class="soft">{kind}</code>
      </span>
    ),
    sort: ({ name }) => name,
  },
  { key: 'state', label: 'State', cell: row => <StateOf state={row.state} />, sort: ({ state }) => state },
  {
    key: 'last',
    label: 'Last run',
    cell: row => <LastRun of={row} />,
    sort: row => row.ended_time && parseTime(row.ended_time),
  },
  { key: 'result', label: 'Result', cell: row => <Result of={row} />, sort: rankOf },
  {
    key: 'next',
    label: 'Next run',
    cell: row => (row.next_time === null ? <None why="not by itself" /> : <Time at={row.next_time} form="ago" />),
    sort: row => row.next_time && parseTime(row.next_time),
  },
]

/** Recurring work: when it last ran, what came of it, when it runs next. Those that failed come first. */
export default function TasksPage() {
  const { api, toasts } = useServices()
  const { data, error, again } = useAnswer(signal => api.tasks.list({}, { signal }), [], { topics: ['tasks'] })
  const run = async ({ id, name }: Row) => {
    await api.tasks.run({ id })
    toasts.tell(`${name} runs as soon as a worker can.`)
    again()
  }
  const act: Column<Row> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: row => (
      <Button label={`Run now: ${row.name}`} onPress={() => run(row)}>
        Run now
      </Button>
    ),
  }
  return (
    <>
      <PageHead title="Tasks" />
      <Section title="Recurring tasks" note="as the settings name them">
        <Table
          caption="Recurring tasks"
          columns={[...shown, act]}
          rows={data?.tasks.toSorted((a, b) => rankOf(a) - rankOf(b))}
          keyOf={({ id }) => id}
          empty="The settings name no task."
          error={error}
          again={again}
        />
      </Section>
    </>
  )
}

function LastRun({ of: row }: { readonly of: Row }) {
  if (row.state === 'running') return <State tone="busy" label={runText(row)} />
  if (row.ended_time === null) return <None why="never" />
  return (
    <span class="told">
      <Time at={row.ended_time} form="ago" />
      <span class="soft">{runText(row)}</span>
    </span>
  )
}

function Result({ of: { outcome, note, counts } }: { readonly of: Row }) {
  const numbers = countsText(counts)
  return (
    <span class="told">
      {outcome === null ? <None why="none yet" /> : <StateOf state={outcome} />}
      {note && <span>{note}</span>}
      {numbers !== '' && <span class="soft">{numbers}</span>}
    </span>
  )
}

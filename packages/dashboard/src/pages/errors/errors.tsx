import {
  type AnswerOf,
  type ErrorCategory,
  type ErrorSeverity,
  type endpoints,
  errorCategories,
  errorSeverities,
} from '@arriero/api'
import { useState } from 'preact/hooks'
import { Button } from '../../components/button.tsx'
import { Choice } from '../../components/choice.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { PageHead, Section } from '../../components/page.tsx'
import { State } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { None, Time } from '../../components/texts.tsx'
import { useConditions } from '../../routing/use-conditions.ts'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { formatFiles } from '../../text/bytes.ts'
import { categoryText, toneOfSeverity } from './error-texts.ts'

type Row = AnswerOf<typeof endpoints.search.error>[number]

/** As many as a librarian gives, unless its settings say otherwise. */
const MOST = 64

const shown: readonly Column<Row>[] = [
  {
    key: 'message',
    label: 'What',
    isTitle: true,
    cell: ({ message }) => <span class="message">{message}</span>,
  },
  {
    key: 'severity',
    label: 'Severity',
    cell: ({ severity }) => <State tone={toneOfSeverity(severity)} label={severity} />,
    sort: ({ severity }) => errorSeverities.indexOf(severity),
  },
  { key: 'category', label: 'About', cell: ({ category }) => categoryText(category), sort: ({ category }) => category },
  { key: 'caller', label: 'Told by', cell: ({ caller }) => caller ?? <None why="this librarian" /> },
  { key: 'raised', label: 'Since', cell: ({ raised_time }) => <Time at={raised_time} />, sort: row => row.raised_time },
]

/** What went wrong and was written down, until somebody acknowledges it. */
export default function ErrorsPage() {
  const { api, toasts } = useServices()
  const { of, set } = useConditions()
  const conditions = {
    severity: errorSeverities.find(each => each === of('severity')),
    category: errorCategories.find(each => each === of('category')),
    include_resolved: of('all') !== '',
  }
  const { data, error, isLoading, again } = useAnswer(
    signal => api.search.error({ ...conditions, max_results: MOST }, { signal }),
    Object.values(conditions),
    { topics: ['errors'] },
  )
  const [all, setAll] = useState<readonly Row[]>()
  const open = data?.filter(({ cleared }) => !cleared) ?? []
  const acknowledge = async (rows: readonly Row[]) => {
    try {
      for (const { id } of rows) await api.error.clear({ id })
      toasts.tell(`${formatFiles(rows.length, 'error')} acknowledged.`)
    } finally {
      again()
    }
  }
  const act: Column<Row> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: row =>
      row.cleared ? (
        <span class="soft">
          acknowledged <Time at={row.cleared_time} form="ago" />
        </span>
      ) : (
        <Button label={`Acknowledge error ${row.id}`} onPress={() => acknowledge([row])}>
          Acknowledge
        </Button>
      ),
  }
  return (
    <>
      <PageHead title="Errors">
        {open.length > 1 && <Button onPress={() => setAll(open)}>Acknowledge all that are shown…</Button>}
      </PageHead>
      <Section title={conditions.include_resolved ? 'All errors' : 'Open errors'} note={countText(data)}>
        <div class="filters">
          <Filter label="Severity" name="severity" values={errorSeverities} textOf={severity => severity} />
          <Filter label="About" name="category" values={errorCategories} textOf={categoryText} />
          <Choice
            label="Show"
            value={of('all')}
            options={[
              ['', 'open ones'],
              ['yes', 'acknowledged ones too'],
            ]}
            onChoose={value => set({ all: value })}
          />
        </div>
        <Table
          caption="Errors"
          columns={[...shown, act]}
          rows={data}
          keyOf={({ id }) => id}
          empty={<State tone="good" label="No such errors." />}
          error={error}
          again={again}
          isLoading={isLoading}
        />
      </Section>
      {all && (
        <Confirm
          title="Acknowledge errors"
          what={`Acknowledge ${formatFiles(all.length, 'error')}`}
          onConfirm={() => acknowledge(all)}
          onClose={() => setAll(undefined)}
        >
          <p>They are no longer shown as open, to nobody. Nothing is mended by it, and nothing is deleted.</p>
        </Confirm>
      )}
    </>
  )
}

interface FilterProps<Value extends ErrorCategory | ErrorSeverity> {
  readonly label: string
  readonly name: string
  readonly values: readonly Value[]
  readonly textOf: (value: Value) => string
}

function Filter<Value extends ErrorCategory | ErrorSeverity>({ label, name, values, textOf }: FilterProps<Value>) {
  const { of, set } = useConditions()
  return (
    <Choice
      label={label}
      value={of(name)}
      options={[['', 'all'], ...values.map(value => [value, textOf(value)] as const)]}
      onChoose={value => set({ [name]: value })}
    />
  )
}

function countText(rows: readonly Row[] | undefined): string {
  if (!rows) return ''
  return rows.length >= MOST ? `${MOST} are shown, there may be more` : formatFiles(rows.length, 'error')
}

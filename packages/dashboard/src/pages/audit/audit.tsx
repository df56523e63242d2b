import type { AnswerOf, endpoints } from '@arriero/api'
import { PageHead, Section } from '../../components/page.tsx'
import { Pager } from '../../components/pager.tsx'
import { SearchField } from '../../components/search-field.tsx'
import { State } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { useConditions } from '../../routing/use-conditions.ts'
import { useServices } from '../../services.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { formatFiles } from '../../text/bytes.ts'
import { detailText } from './detail-text.ts'

type Answer = AnswerOf<typeof endpoints.dashboard.audit>
type Row = Answer['entries'][number]

const PAGE = 50
const fields = [
  ['actor', 'Who'],
  ['action', 'Did what'],
  ['subject', 'To what'],
] as const

/** Who did what to what, and whether the log is what was written. */
export default function AuditPage() {
  const { api } = useServices()
  const { of, set } = useConditions()
  const conditions = {
    actor: of('actor') || undefined,
    action: of('action') || undefined,
    subject: of('subject') || undefined,
    after: of('after') || undefined,
  }
  const { data, error, isLoading, again } = useAnswer(
    signal => api.dashboard.audit({ ...conditions, limit: PAGE }, { signal }),
    Object.values(conditions),
    { topics: ['audit'] },
  )
  return (
    <>
      <PageHead title="Audit" />
      {data && <Chain of={data.chain} />}
      <Section title="Entries" note="newest first; names are looked for as they are typed, in whole">
        <div class="filters">
          {fields.map(([key, label]) => (
            <SearchField key={key} label={label} value={of(key)} onSearch={text => set({ [key]: text })} />
          ))}
        </div>
        <Table
          caption="Entries of the audit log"
          columns={columns}
          rows={data?.entries}
          keyOf={({ id }) => id}
          empty="There is no such entry."
          error={error}
          again={again}
          isLoading={isLoading}
        />
        <Pager next={data?.next} />
      </Section>
    </>
  )
}

const columns: readonly Column<Row>[] = [
  { key: 'time', label: 'When', cell: ({ time }) => <Time at={time} form="time" /> },
  { key: 'actor', label: 'Who', cell: ({ actor }) => <Same name="actor" value={actor} /> },
  { key: 'action', label: 'Did what', isTitle: true, cell: ({ action }) => <Same name="action" value={action} /> },
  { key: 'subject', label: 'To what', cell: ({ subject }) => <Same name="subject" value={subject} /> },
  { key: 'detail', label: 'Detail', cell: ({ detail }) => <span class="message soft">{detailText(detail)}</span> },
]

/** A link to all entries that have the same. */
function Same({ name, value }: { readonly name: (typeof fields)[number][0]; readonly value: string }) {
  const { to } = useConditions()
  return (
    <Link to={to({ [name]: value })} class="quiet">
      {value}
    </Link>
  )
}

function Chain({ of: chain }: { readonly of: Answer['chain'] }) {
  if (chain === null) return <State tone="idle" label="The chain of entries is being checked for the first time." />
  const { time, is_whole, entries, broken } = chain
  if (is_whole) {
    return (
      <p class="told-line">
        <State tone="good" label={`The chain is whole: ${formatFiles(entries, 'entry', 'entries')}`} />
        <span class="soft">
          checked <Time at={time} />
        </span>
      </p>
    )
  }
  return (
    <div class="problem" role="alert">
      <State tone="bad" label="The chain is broken" />
      <div>
        <p>
          {broken ? `Entry ${broken.id} is not what was written: ${broken.why}` : 'An entry is not what was written.'}
        </p>
        <p class="remedy">
          Somebody has changed the log, or the catalogue is damaged. Entries before it can be trusted; compare with the
          last backup.
        </p>
      </div>
    </div>
  )
}

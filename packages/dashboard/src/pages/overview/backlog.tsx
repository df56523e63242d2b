import type { Overview } from '@arriero/api'
import { Section } from '../../components/page.tsx'
import { Reachable, State } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, Count, Duration, Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { formatBytes } from '../../text/bytes.ts'
import { parseTime } from '../../text/time.ts'
import { isStuck } from './verdicts.ts'

type Row = Overview['backlog'][number]

const columns: readonly Column<Row>[] = [
  { key: 'to', label: 'To', isTitle: true, cell: row => <Link to="/sites">{row.librarian_name}</Link>, sort: nameOf },
  { key: 'state', label: 'State', cell: row => <SiteState of={row} /> },
  { key: 'files', label: 'Files', align: 'end', cell: row => <Count of={row.files} />, sort: row => row.files },
  { key: 'bytes', label: 'Size', align: 'end', cell: row => <Bytes of={row.bytes} />, sort: row => row.bytes },
  {
    key: 'rate',
    label: 'Per hour',
    align: 'end',
    cell: row => <span class="number">{formatBytes(row.bytes_per_hour)}/h</span>,
    sort: row => row.bytes_per_hour,
  },
  { key: 'drain', label: 'Drained in', align: 'end', cell: row => <Drain of={row} />, sort: row => row.drain_seconds },
  {
    key: 'oldest',
    label: 'Oldest waits since',
    cell: row => <Time at={row.oldest_time} form="ago" />,
    sort: row => row.oldest_time && parseTime(row.oldest_time),
  },
]

/** What waits for each destination, and for how long yet. */
export function Backlog({ backlog }: Pick<Overview, 'backlog'>) {
  return (
    <Section title="Backlog" note="rates of the last six hours">
      <Table
        caption="What waits to be sent, by destination"
        columns={columns}
        rows={backlog}
        keyOf={nameOf}
        empty="This librarian sends to no other."
      />
    </Section>
  )
}

function nameOf({ librarian_name }: Row): string {
  return librarian_name
}

function SiteState({ of: { enabled, reachable } }: { readonly of: Row }) {
  return enabled ? <Reachable is={reachable} /> : <State tone="warn" label="paused" />
}

function Drain({ of: row }: { readonly of: Row }) {
  if (row.files === 0) return <State tone="good" label="empty" />
  if (row.drain_seconds !== null) return <Duration seconds={row.drain_seconds} />
  return isStuck(row) ? <State tone="bad" label="does not move" /> : <State tone="idle" label="not known yet" />
}

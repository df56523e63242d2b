import type { Overview } from '@arriero/api'
import { Meter } from '../../components/meter.tsx'
import { Section } from '../../components/page.tsx'
import { State } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, None, Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { parseTime } from '../../text/time.ts'

type Row = Overview['stores'][number]

const columns: readonly Column<Row>[] = [
  { key: 'name', label: 'Store', isTitle: true, cell: row => <Link to="/stores">{row.store_name}</Link>, sort: nameOf },
  { key: 'state', label: 'State', cell: row => <StoreState of={row} /> },
  { key: 'fill', label: 'Full', cell: row => <Fill of={row} />, sort: row => shareOf(row) },
  { key: 'free', label: 'Free', align: 'end', cell: row => <Bytes of={row.free} />, sort: row => row.free },
  { key: 'total', label: 'Of', align: 'end', cell: row => <Bytes of={row.total} />, sort: row => row.total },
  {
    key: 'day',
    label: 'Per day',
    align: 'end',
    cell: row => <Bytes of={row.used_per_day} />,
    sort: row => row.used_per_day,
  },
  {
    key: 'when',
    label: 'Full at this rate',
    cell: row => (row.full_time === null ? <None why="not at this rate" /> : <Time at={row.full_time} />),
    sort: row => row.full_time && parseTime(row.full_time),
  },
]

/** How full each store is, and when it will be. */
export function Stores({ stores }: Pick<Overview, 'stores'>) {
  return (
    <Section title="Stores" note="rates of the last week">
      <Table
        caption="Stores and their room"
        columns={columns}
        rows={stores}
        keyOf={nameOf}
        empty="There is no store."
      />
    </Section>
  )
}

function nameOf({ store_name }: Row): string {
  return store_name
}

function shareOf({ free, total }: Row): number | null {
  return free === null || total === null || total === 0 ? null : 1 - free / total
}

function StoreState({ of: { enabled, available, ingestable, reason } }: { readonly of: Row }) {
  if (!enabled) return <State tone="warn" label="switched off" />
  if (!available) return <State tone="bad" label={reason === null ? 'away' : `away: ${reason}`} />
  return <State tone="good" label={ingestable ? 'in use' : 'reads only'} />
}

function Fill({ of }: { readonly of: Row }) {
  const share = shareOf(of)
  if (share === null) return <None why="not known" />
  return <Meter share={share} tone={share > 0.95 ? 'bad' : share > 0.85 ? 'warn' : 'busy'} label={of.store_name} />
}

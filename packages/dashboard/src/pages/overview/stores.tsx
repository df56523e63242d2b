import type { Overview } from '@arriero/api'
import { Section } from '../../components/page.tsx'
import { StoreFill, StoreState, shareOf } from '../../components/store-room.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Bytes, None, Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import { parseTime } from '../../text/time.ts'

type Row = Overview['stores'][number]

const columns: readonly Column<Row>[] = [
  { key: 'name', label: 'Store', isTitle: true, cell: row => <Link to="/stores">{row.store_name}</Link>, sort: nameOf },
  { key: 'state', label: 'State', cell: row => <StoreState of={row} /> },
  { key: 'fill', label: 'Full', cell: row => <StoreFill of={row} />, sort: shareOf },
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

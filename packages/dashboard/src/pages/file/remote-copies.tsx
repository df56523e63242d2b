import { Reachable } from '../../components/state.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time } from '../../components/texts.tsx'
import type { FileAnswer } from './file.tsx'
import { ProofText } from './proof-text.tsx'

type Row = FileAnswer['remote'][number]

const columns: readonly Column<Row>[] = [
  { key: 'at', label: 'Librarian', isTitle: true, cell: row => row.librarian_name },
  { key: 'reachable', label: 'State', cell: row => <Reachable is={row.reachable} /> },
  { key: 'proof', label: 'Last shown', cell: row => <ProofText of={row.proof} /> },
  { key: 'since', label: 'There since', cell: row => <Time at={row.time} /> },
  { key: 'sender', label: 'Sent by', cell: row => row.sender },
]

/** Copies that other librarians hold, with what they have shown of them. */
export function RemoteCopies({ remote }: { readonly remote: readonly Row[] }) {
  return (
    <Table
      caption="Copies at other librarians"
      columns={columns}
      rows={remote}
      keyOf={({ librarian_name, store_id }) => `${store_id} ${librarian_name}`}
      empty="No other librarian is known to hold a copy."
    />
  )
}

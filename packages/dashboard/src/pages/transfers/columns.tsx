import type { AnswerOf, endpoints } from '@arriero/api'
import { Button } from '../../components/button.tsx'
import { StateOf } from '../../components/state.tsx'
import type { Column } from '../../components/table.tsx'
import { Bytes, None, Time } from '../../components/texts.tsx'
import { Link } from '../../routing/link.tsx'
import type { Direction } from './queries.ts'

export type TransferRow = AnswerOf<typeof endpoints.dashboard.transfers>['transfers'][number]

/** @param onRetry undefined: who is logged in may not */
export function columnsOf(
  direction: Direction,
  onRetry: ((id: number) => unknown) | undefined,
): readonly Column<TransferRow>[] {
  const shown: readonly Column<TransferRow>[] = [
    {
      key: 'file',
      label: 'File',
      isTitle: true,
      cell: ({ id, file_name }) => <Link to={`/transfers/${direction}/${id}`}>{file_name ?? `Transfer ${id}`}</Link>,
    },
    {
      key: 'site',
      label: direction === 'in' ? 'From' : 'To',
      cell: ({ librarian_name }) => librarian_name,
    },
    { key: 'state', label: 'State', cell: row => <TransferState of={row} /> },
    { key: 'size', label: 'Size', align: 'end', cell: ({ size }) => <Bytes of={size} /> },
    { key: 'method', label: 'By', cell: ({ method }) => method ?? <None why="not chosen yet" /> },
    { key: 'start', label: 'Began', cell: ({ start_time }) => <Time at={start_time} form="ago" /> },
    { key: 'last', label: 'Moved, or ended', cell: row => <Time at={row.end_time ?? row.active_time} form="ago" /> },
  ]
  if (!onRetry || direction === 'in') return shown
  const act: Column<TransferRow> = {
    key: 'act',
    label: '',
    align: 'end',
    cell: ({ id, file_name, may_retry }) =>
      may_retry && (
        <Button label={`Try ${file_name ?? `transfer ${id}`} again`} onPress={() => onRetry(id)}>
          Try again
        </Button>
      ),
  }
  return [...shown, act]
}

/** With the reason, where it failed. */
function TransferState({ of: { state, reason } }: { readonly of: TransferRow }) {
  return (
    <span class="told">
      <StateOf state={state} />
      {reason && <span class="soft">{reason}</span>}
    </span>
  )
}

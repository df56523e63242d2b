/** What the receiver says of our transfers (librarian 10.4). */
import { type Connection, type TransferStatus, transferStatusOf } from '@arriero/api'

export interface AskedTransfer {
  readonly id: number
  readonly remoteId: number
}

export interface ReceiverView {
  /** There already, or arrived: it has all bytes. */
  readonly arrived: readonly number[]
  readonly running: readonly number[]
  /** Of those that run: not even begun there. */
  readonly waiting: readonly number[]
  readonly failed: readonly { readonly id: number; readonly reason: string }[]
}

/** Asks for each; what is unknown there has failed. @throws LibrarianError where nobody answers */
export async function askReceiver(
  connection: Connection,
  transfers: readonly AskedTransfer[],
  { signal }: { signal: AbortSignal },
): Promise<ReceiverView> {
  const ids = transfers.map(({ remoteId }) => remoteId)
  const asked = { source_transfer_ids: [], destination_transfer_ids: ids }
  const { destination_transfer_status: told } = await connection.checkin.status(asked, { signal })
  const view = { arrived: [] as number[], running: [] as number[], waiting: [] as number[], failed: [] as Failed[] }
  for (const { id, remoteId } of transfers) {
    const number = told[String(remoteId)]
    const status = number === null || number === undefined ? undefined : transferStatusOf(number)
    const standing = standingOf(status)
    if (standing === 'failed') view.failed.push({ id, reason: `The receiver has it as ${status ?? 'unknown'}.` })
    else view[standing].push(id)
    if (status === 'INITIATED') view.waiting.push(id)
  }
  return view
}

type Failed = ReceiverView['failed'][number]

function standingOf(status: TransferStatus | undefined): 'arrived' | 'running' | 'failed' {
  if (status === 'STAGED' || status === 'COMPLETED') return 'arrived'
  return status === 'INITIATED' || status === 'ONGOING' ? 'running' : 'failed'
}

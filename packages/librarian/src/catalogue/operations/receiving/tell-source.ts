/** What the sender of a clone must hear when it has ended here: written in the transaction that ends it (reliability 8.14). */
import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { Database } from '../../operation.ts'
import type { IncomingTransferTable } from '../../schema.ts'
import { enqueue, type NewMessage } from '../outbox.ts'
import { chunks } from '../outgoing-states.ts'
import { pullManager } from './pull-manager.ts'

/** Transfers that one message tells of: fewer than one call takes. */
const TOGETHER = 1000

export const toldColumns = ['id', 'token', 'source', 'source_transfer_id', 'store_id', 'transfer_manager_name'] as const

export type ToldTransfer = Pick<Selectable<IncomingTransferTable>, (typeof toldColumns)[number]>

/**
 * That its content is kept here. Uploads have nobody to be told, nor have clones of a librarian that nobody knows. Who had them
 * fetched understands one message of many.
 */
export async function tellCompleted(database: Database, transfers: readonly ToldTransfer[]): Promise<void> {
  const isFetched = (transfer: ToldTransfer) => transfer.transfer_manager_name === pullManager
  await tell(
    database,
    transfers.filter(transfer => !isFetched(transfer)),
    transfer => ({
      call: 'clone/complete',
      body: keptBody(transfer),
      idempotencyKey: `clone/complete ${transfer.token}`,
    }),
  )
  await tellMany(database, transfers.filter(isFetched))
}

async function tellMany(database: Database, transfers: readonly ToldTransfer[]): Promise<void> {
  const told = await toBeTold(database, transfers)
  const messages: NewMessage[] = []
  for (const [peer, own] of Map.groupBy(told, ({ source }) => source)) {
    for (const part of chunks(own, TOGETHER)) {
      const key = createHash('sha256').update(part.map(({ token }) => `clone/complete ${token}\n`).join(''))
      const body = { transfers: part.map(keptBody) }
      messages.push({ peer, call: 'clone/complete_many', body, idempotencyKey: key.digest('hex') })
    }
  }
  await enqueue(database, messages)
}

const keptBody = ({ id, source_transfer_id, store_id }: ToldTransfer) => {
  return { source_transfer_id, destination_transfer_id: id, store_id }
}

/** That it will not be (librarian 11.4, step 12). */
export async function tellFailed(database: Database, transfers: readonly ToldTransfer[]): Promise<void> {
  await tell(database, transfers, ({ source_transfer_id, token }) => ({
    call: 'checkin/update',
    body: { source_transfer_ids: [source_transfer_id], destination_transfer_ids: [], new_status: FAILED },
    idempotencyKey: `checkin/update ${token}`,
  }))
}

/** That its bytes were not those that it had announced. */
export async function tellDoubt(database: Database, transfer: ToldTransfer & DoubtedTransfer, key: string) {
  await tell(database, [transfer], () => ({
    call: 'validate/file',
    body: { file_name: transfer.store_path, fresh: true },
    idempotencyKey: `validate/file ${key}`,
  }))
}

type DoubtedTransfer = Pick<Selectable<IncomingTransferTable>, 'store_path'>

const FAILED = 4

async function tell(
  database: Database,
  transfers: readonly ToldTransfer[],
  messageOf: (transfer: ToldTransfer) => Omit<NewMessage, 'peer'>,
): Promise<void> {
  const told = await toBeTold(database, transfers)
  await enqueue(
    database,
    told.map(transfer => ({ ...messageOf(transfer), peer: transfer.source })),
  )
}

async function toBeTold(database: Database, transfers: readonly ToldTransfer[]): Promise<readonly ToldTransfer[]> {
  // A negative number is that of no transfer (librarian 11.7).
  const clones = transfers.filter(({ source_transfer_id }) => source_transfer_id !== null && source_transfer_id >= 0)
  if (clones.length === 0) return []
  const known = await knownPeers(database, [...new Set(clones.map(({ source }) => source))])
  return clones.filter(({ source }) => known.has(source))
}

export async function knownPeers({ sql }: Database, names: readonly string[]): Promise<Set<string>> {
  if (names.length === 0) return new Set()
  const rows = await sql.selectFrom('peer').select('name').where('name', 'in', names).execute()
  return new Set(rows.map(({ name }) => name))
}

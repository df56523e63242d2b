/** The first step of a commit: its name is reserved, and all is written down that is needed to finish it. */
import type { ErrorCode } from '@arriero/api'
import { type Selectable, sql } from 'kysely'
import { ancestorsOf, findObstacles } from '../../nested-names.ts'
import type { Database } from '../../operation.ts'
import { rowSet } from '../../row-set.ts'
import type { FileTable, IncomingTransferTable } from '../../schema.ts'
import { takeOrders } from '../../trail-order.ts'
import { transfersOf } from '../uploads.ts'
import type { BeginOutcome, BeginWork } from './contract.ts'
import { deleteFinished, endTransfer, openStates } from './rows.ts'

/** Refusals after which the transfer cannot succeed any more. */
const endingCodes: ReadonlySet<ErrorCode> = new Set(['FileExists', 'Unacceptable'])

export async function beginWorks(
  database: Database,
  { holder, works, forget }: { holder: string; works: readonly BeginWork[]; forget: readonly string[] },
): Promise<BeginOutcome[]> {
  await deleteFinished(database, forget)
  const met = await whatIsMet(database, works)
  const outcomes: Judgement[] = []
  const reserved = new Reserved()
  const begin: BeginWork[] = []
  for (const work of works) {
    const outcome = judge(work, met, reserved)
    outcomes.push(outcome)
    if (outcome.outcome === 'begun') {
      begin.push(work)
      reserved.add(work.name)
    } else if (outcome.outcome === 'refused' && endingCodes.has(outcome.code)) {
      await endTransfer(database, work.transferId, outcome.message)
    }
  }
  const inserted = await insertIntents(database, holder, begin)
  return outcomes.map((outcome, index) =>
    outcome.outcome === 'begun' ? { ...outcome, ...inserted.get(works[index]!.id)! } : outcome,
  )
}

interface Met {
  readonly files: ReadonlyMap<string, string>
  readonly same: ReadonlyMap<string, Selectable<FileTable>>
  readonly intents: ReadonlyMap<string, string>
  readonly transfers: ReadonlyMap<number, Selectable<IncomingTransferTable>>
  /** `file/store`: where another copy has no room, since there is one, or one on its way to or from the trash. */
  readonly copies: ReadonlyMap<string, string>
  /** Ids. */
  readonly enabledStores: ReadonlySet<number>
}

async function whatIsMet(database: Database, works: readonly BeginWork[]): Promise<Met> {
  const { sql } = database
  const names = works.map(({ name }) => name)
  const ids = works.flatMap(({ transferId }) => transferId ?? [])
  const files = await findObstacles(database, 'file', names)
  const taken = [...files].flatMap(([name, obstacle]) => (name === obstacle ? [name] : []))
  const same = taken.length ? await sql.selectFrom('file').selectAll().where('name', 'in', taken).execute() : []
  const transfers = await transfersOf(database, ids)
  const enabled = await sql.selectFrom('store').select('id').where('enabled', '=', 1).execute()
  return {
    files,
    enabledStores: new Set(enabled.map(({ id }) => id)),
    copies: await findCopies(database, works),
    same: new Map(same.map(file => [file.name, file])),
    intents: await findObstacles(database, 'intent', names),
    transfers: new Map(transfers.map(transfer => [transfer.id, transfer])),
  }
}

/** Names of works of the same call. */
class Reserved {
  readonly #names = new Set<string>()
  /** A name below each directory. */
  readonly #below = new Map<string, string>()

  add(name: string): void {
    this.#names.add(name)
    for (const above of ancestorsOf(name)) this.#below.set(above, name)
  }

  inTheWayOf(name: string): string | undefined {
    if (this.#names.has(name)) return name
    return this.#below.get(name) ?? ancestorsOf(name).find(above => this.#names.has(above))
  }
}

type Judgement = Exclude<BeginOutcome, { outcome: 'begun' }> | { readonly outcome: 'begun'; readonly token: number }

const begun: Judgement = { outcome: 'begun', token: 1 }

function judge(work: BeginWork, met: Met, reserved: Reserved): Judgement {
  const { name, transferId } = work
  const refused = (code: ErrorCode, message: string): Judgement => ({ outcome: 'refused', code, message })
  if (transferId !== undefined) {
    const transfer = met.transfers.get(transferId)
    if (!transfer) return refused('NotFound', `Cannot commit transfer ${transferId}: there is none with this number`)
    if (transfer.status === 'COMPLETED') return { outcome: 'completed' }
    if (!openStates.some(state => state === transfer.status)) {
      const why = transfer.reason ? `: ${transfer.reason}` : ''
      return refused('Conflict', `Cannot commit transfer ${transferId}: it is ${transfer.status}${why}`)
    }
  }
  if (!met.enabledStores.has(work.storeId))
    return refused('Unacceptable', `Cannot commit ${name}: its store is disabled`)
  const live = met.intents.get(name) ?? reserved.inTheWayOf(name)
  if (live !== undefined) return refused('NameTaken', `Cannot commit ${name}: ${live} is being committed now`)
  const obstacle = met.files.get(name)
  if (work.cloneTransferId !== undefined) {
    const file = obstacle === name ? met.same.get(name) : undefined
    if (!file) return refused('NotFound', `Cannot make another copy of ${name}: there is no such file`)
    const there = met.copies.get(`${name}/${work.storeId}`)
    return there === undefined ? begun : refused('Conflict', `Cannot make another copy of ${name}: ${there}`)
  }
  if (obstacle === undefined) return begun
  if (obstacle !== name) {
    const how = ancestorsOf(name).includes(obstacle) ? 'it would lie in' : 'it would hold'
    return refused('FileExists', `Cannot commit ${name}: ${how} ${obstacle}, which is kept already`)
  }
  // Whether the bytes are the same is not for a weak checksum to say: they are read, and their SHA-256 decides.
  const file = met.same.get(name)
  const maybeSame = file?.size === work.size && file.sha256 !== null
  if (maybeSame) return begun
  return refused('FileExists', `Cannot commit ${name}: other content is kept under this name already`)
}

async function findCopies({ sql }: Database, works: readonly BeginWork[]): Promise<Map<string, string>> {
  const names = works.flatMap(({ cloneTransferId, name }) => (cloneTransferId === undefined ? [] : [name]))
  if (names.length === 0) return new Map()
  const moving = await sql
    .selectFrom('trash')
    .select(['file_name', 'store_id', 'state'])
    .where('file_name', 'in', names)
    .where('state', 'in', ['deleting', 'restoring'])
    .execute()
  const there = await sql
    .selectFrom('instance')
    .select(['file_name', 'store_id'])
    .where('file_name', 'in', names)
    .execute()
  return new Map([
    ...moving.map(({ file_name, store_id, state }) => {
      return [`${file_name}/${store_id}`, `the copy that the store had is ${state} now`] as const
    }),
    ...there.map(({ file_name, store_id }) => [`${file_name}/${store_id}`, 'the store has one'] as const),
  ])
}

const intentColumns = {
  id: 'text',
  file_name: 'text',
  store_id: 'integer',
  origin: 'text',
  size: 'integer',
  checksum: 'text',
  incoming_transfer_id: 'integer',
  transfer_manager_name: 'text',
  deletion_policy: 'text',
  uploader: 'text',
  source: 'text',
  first_uploader: 'text',
  create_time: 'text',
  act: 'text',
  is_attested: 'integer',
  clone_transfer_id: 'integer',
} as const

async function insertIntents(
  database: Database,
  holder: string,
  works: readonly BeginWork[],
): Promise<Map<string, { createTime: string; order: number }>> {
  if (works.length === 0) return new Map()
  const { sql: db, dialect } = database
  const order = await takeOrders(database, works.length)
  const given = rowSet(
    dialect,
    intentColumns,
    works.map(work => ({
      id: work.id,
      file_name: work.name,
      store_id: work.storeId,
      origin: work.origin,
      size: work.size,
      checksum: work.checksum ?? null,
      incoming_transfer_id: work.transferId ?? null,
      transfer_manager_name: work.manager,
      deletion_policy: work.deletionPolicy,
      uploader: work.uploader,
      source: work.source,
      first_uploader: work.firstUploader,
      create_time: work.createTime ?? null,
      act: work.act ?? null,
      is_attested: (work.isAttested ?? work.checksum !== undefined) ? 1 : 0,
      clone_transfer_id: work.cloneTransferId ?? null,
    })),
  )
  const { rows } = await sql<{ id: string; create_time: string; trail_order: number }>`
    INSERT INTO intent (id, token, file_name, store_id, origin, size, checksum, is_attested, incoming_transfer_id,
      transfer_manager_name, deletion_policy, uploader, source, first_uploader, create_time, act, started, holder, trail_order,
      clone_transfer_id)
    SELECT id, 1, file_name, store_id, origin, size, checksum, is_attested,
      incoming_transfer_id, transfer_manager_name, deletion_policy, uploader, source, first_uploader,
      COALESCE(create_time, ${dialect.now()}), act, ${dialect.now()}, ${holder}, ${order},
      clone_transfer_id
    FROM ${given} AS work WHERE true
    RETURNING id, create_time, trail_order`.execute(db)
  return new Map(rows.map(row => [row.id, { createTime: row.create_time, order: row.trail_order }]))
}

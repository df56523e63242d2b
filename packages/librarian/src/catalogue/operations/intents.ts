/**
 * The rows of a commit (reliability 8.11). Each operation takes a batch and answers per work, in order: a work that cannot
 * go on never stops its neighbours. Writes name the intent's token and holder; where they match no row, another process has
 * taken the intent over, and the caller must stop without touching anything (`stale`).
 */
import type { ErrorCode } from '@arriero/api'
import { type Selectable, sql } from 'kysely'
import { ancestorsOf, areNested, findObstacles } from '../nested-names.ts'
import { type Database, read, write } from '../operation.ts'
import { rowSet } from '../row-set.ts'
import type { DeletionPolicy, FileKind, FileTable, IncomingTransferTable, IntentTable } from '../schema.ts'

export type Intent = Selectable<IntentTable>

/** What a commit starts with. */
export interface BeginWork {
  /** 32 hex digits. */
  readonly id: string
  readonly name: string
  readonly storeId: number
  /** JSON. */
  readonly origin: string
  readonly size: number
  readonly checksum: string | undefined
  readonly transferId: number | undefined
  /** How the bytes came, for the transfer's row. */
  readonly manager: string | null
  readonly deletionPolicy: DeletionPolicy
  readonly uploader: string
  readonly source: string
  readonly firstUploader: string | null
  readonly createTime: string | undefined
}

export type BeginOutcome =
  | {
      readonly outcome: 'begun'
      readonly token: number
      /** Of the file, when it is there; by the database's clock unless the work said one. */
      readonly createTime: string
    }
  /** The transfer was completed before: nothing is left to do. */
  | { readonly outcome: 'completed' }
  | { readonly outcome: 'refused'; readonly code: ErrorCode; readonly message: string }

export interface PreparedWork {
  readonly id: string
  readonly token: number
  readonly kind: FileKind
  readonly size: number
  readonly checksum: string
  readonly sha256: string
  readonly manifest: string | undefined
}

/** `same`: the name already holds these very bytes, and the transfer is completed · `other`: it holds different ones. */
export type PreparedOutcome = 'go' | 'same' | 'other' | 'stale'

export interface PublishedWork {
  readonly id: string
  readonly token: number
  readonly path: string
  readonly fingerprint: string
}

export interface FailedWork {
  readonly id: string
  readonly token: number
  readonly reason: string
  /** The transfer stays open, for another attempt with the same bytes. */
  readonly keepsTransfer: boolean
}

/** Refusals after which the transfer cannot succeed any more. */
const endingCodes: ReadonlySet<ErrorCode> = new Set(['FileExists', 'Unacceptable'])

const openStates = ['INITIATED', 'ONGOING', 'STAGED'] as const

export const intents = {
  /** Records the intents and reserves the names. Forgets works whose private copies are gone, for the price of nothing. */
  begin: write<{ holder: string; works: readonly BeginWork[]; forget: readonly string[] }, BeginOutcome[]>(
    async (database, { holder, works, forget }) => {
      await deleteFinished(database, forget)
      const met = await whatIsMet(database, works)
      const outcomes: Judgement[] = []
      const reserved: string[] = []
      const begin: BeginWork[] = []
      for (const work of works) {
        const outcome = judge(work, met, reserved)
        outcomes.push(outcome)
        if (outcome.outcome === 'begun') {
          begin.push(work)
          reserved.push(work.name)
        } else if (outcome.outcome === 'refused' && endingCodes.has(outcome.code)) {
          await endTransfer(database, work.transferId, outcome.message)
        }
      }
      const times = await insertIntents(database, holder, begin)
      return outcomes.map((outcome, index) =>
        outcome.outcome === 'begun' ? { ...outcome, createTime: times.get(works[index]!.id)! } : outcome,
      )
    },
  ),

  /** Records what was verified, before it is published. */
  prepared: write<{ holder: string; works: readonly PreparedWork[] }, PreparedOutcome[]>(
    async (database, { holder, works }) => await recordPrepared(database, holder, works),
  ),

  /** The commit itself: file, instance, proof, transfer, and the intent gone. True where it is done. */
  finish: write<{ holder: string; by: string; works: readonly PublishedWork[] }, boolean[]>(
    async (database, { holder, by, works }) => await finishWorks(database, holder, by, works),
  ),

  /** Gives works up. True where this was still ours to do. */
  fail: write<{ holder: string; works: readonly FailedWork[] }, boolean[]>(async (database, { holder, works }) => {
    const done: boolean[] = []
    for (const work of works) done.push(await failWork(database, holder, work))
    return done
  }),

  /** Live intents, oldest first. */
  list: read<{ storeId?: number } | undefined, Intent[]>(async ({ sql }, args) => {
    const all = sql.selectFrom('intent').selectAll().orderBy('started').orderBy('id')
    return await (args?.storeId === undefined ? all : all.where('store_id', '=', args.storeId)).execute()
  }),

  ofTransfer: read<{ transferId: number }, Intent | undefined>(
    async ({ sql }, { transferId }) =>
      await sql.selectFrom('intent').selectAll().where('incoming_transfer_id', '=', transferId).executeTakeFirst(),
  ),

  /** Makes an intent another process's, unless somebody was faster. The old holder's writes match nothing from now on. */
  takeOver: write<{ id: string; token: number; holder: string }, Intent | undefined>(
    async ({ sql }, { id, token, holder }) =>
      await sql
        .updateTable('intent')
        .set({ holder, token: token + 1 })
        .where('id', '=', id)
        .where('token', '=', token)
        .returningAll()
        .executeTakeFirst(),
  ),

  /** What is known of works whose private copies are there. */
  know: read<{ ids: readonly string[] }, ('live' | 'finished' | 'unknown')[]>(async ({ sql }, { ids }) => {
    if (ids.length === 0) return []
    const live = await sql.selectFrom('intent').select('id').where('id', 'in', ids).execute()
    const finished = await sql.selectFrom('finished_work').select('id').where('id', 'in', ids).execute()
    const isLive = new Set(live.map(({ id }) => id))
    const isFinished = new Set(finished.map(({ id }) => id))
    return ids.map(id => (isLive.has(id) ? 'live' : isFinished.has(id) ? 'finished' : 'unknown'))
  }),

  /** Works whose private copies are gone need not be known any longer. */
  forget: write<{ ids: readonly string[] }, void>(async (database, { ids }) => {
    await deleteFinished(database, ids)
  }),

  finished: read<{ limit: number }, string[]>(async ({ sql }, { limit }) => {
    const rows = await sql.selectFrom('finished_work').select('id').orderBy('time').limit(limit).execute()
    return rows.map(({ id }) => id)
  }),
}

interface Met {
  readonly files: ReadonlyMap<string, string>
  readonly same: ReadonlyMap<string, Selectable<FileTable>>
  readonly intents: ReadonlyMap<string, string>
  readonly transfers: ReadonlyMap<number, Selectable<IncomingTransferTable>>
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
  const transfers = ids.length
    ? await sql.selectFrom('incoming_transfer').selectAll().where('id', 'in', ids).execute()
    : []
  const enabled = await sql.selectFrom('store').select('id').where('enabled', '=', 1).execute()
  return {
    files,
    enabledStores: new Set(enabled.map(({ id }) => id)),
    same: new Map(same.map(file => [file.name, file])),
    intents: await findObstacles(database, 'intent', names),
    transfers: new Map(transfers.map(transfer => [transfer.id, transfer])),
  }
}

type Judgement = Exclude<BeginOutcome, { outcome: 'begun' }> | { readonly outcome: 'begun'; readonly token: number }

const begun: Judgement = { outcome: 'begun', token: 1 }

function judge(work: BeginWork, met: Met, reserved: readonly string[]): Judgement {
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
  const live = met.intents.get(name) ?? reserved.find(other => areNested(name, other))
  if (live !== undefined) return refused('NameTaken', `Cannot commit ${name}: ${live} is being committed now`)
  const obstacle = met.files.get(name)
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
} as const

async function insertIntents(
  { sql: db, dialect }: Database,
  holder: string,
  works: readonly BeginWork[],
): Promise<Map<string, string>> {
  if (works.length === 0) return new Map()
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
    })),
  )
  const { rows } = await sql<{ id: string; create_time: string }>`
    INSERT INTO intent (id, token, file_name, store_id, origin, size, checksum, is_attested, incoming_transfer_id,
      transfer_manager_name, deletion_policy, uploader, source, first_uploader, create_time, started, holder)
    SELECT id, 1, file_name, store_id, origin, size, checksum, CASE WHEN checksum IS NULL THEN 0 ELSE 1 END,
      incoming_transfer_id, transfer_manager_name, deletion_policy, uploader, source, first_uploader,
      COALESCE(create_time, ${dialect.now()}), ${dialect.now()}, ${holder}
    FROM ${given} AS work WHERE true
    RETURNING id, create_time`.execute(db)
  return new Map(rows.map(({ id, create_time }) => [id, create_time]))
}

type PreparedIntent = Pick<
  Intent,
  'id' | 'file_name' | 'incoming_transfer_id' | 'transfer_manager_name' | 'deletion_policy'
>

const preparedColumns = {
  id: 'text',
  token: 'integer',
  kind: 'text',
  checksum: 'text',
  sha256: 'text',
  manifest: 'text',
} as const

async function recordPrepared(
  database: Database,
  holder: string,
  works: readonly PreparedWork[],
): Promise<PreparedOutcome[]> {
  const { sql: db, dialect } = database
  const given = rowSet(
    dialect,
    preparedColumns,
    works.map(({ id, token, kind, checksum, sha256, manifest = null }) => {
      return { id, token, kind, checksum, sha256, manifest }
    }),
  )
  const { rows } = await sql<PreparedIntent>`
    UPDATE intent SET kind = work.kind, sha256 = work.sha256, manifest = work.manifest, prepared_token = work.token,
      checksum = COALESCE(intent.checksum, work.checksum)
    FROM ${given} AS work
    WHERE intent.id = work.id AND intent.token = work.token AND intent.holder = ${holder}
    RETURNING intent.id, intent.file_name, intent.incoming_transfer_id, intent.transfer_manager_name,
      intent.deletion_policy`.execute(db)
  const mine = new Map(rows.map(intent => [intent.id, intent]))
  const files = await filesNamed(
    database,
    [...mine.values()].map(({ file_name }) => file_name),
  )
  const outcomes: PreparedOutcome[] = []
  for (const work of works) {
    const intent = mine.get(work.id)
    const file = intent && files.get(intent.file_name)
    const outcome = outcomeOf(work, intent, file)
    if (outcome === 'same') await forgetSame(database, intent!)
    outcomes.push(outcome)
  }
  return outcomes
}

function outcomeOf(
  work: PreparedWork,
  intent: PreparedIntent | undefined,
  file: KeptContent | undefined,
): PreparedOutcome {
  if (!intent) return 'stale'
  if (!file) return 'go'
  return file.sha256 === work.sha256 && file.size === work.size && file.kind === work.kind ? 'same' : 'other'
}

type KeptContent = Pick<Selectable<FileTable>, 'name' | 'sha256' | 'size' | 'kind'>

async function filesNamed({ sql: db }: Database, names: readonly string[]): Promise<Map<string, KeptContent>> {
  if (names.length === 0) return new Map()
  const columns = ['name', 'sha256', 'size', 'kind'] as const
  const files = await db.selectFrom('file').select(columns).where('name', 'in', names).execute()
  return new Map(files.map(file => [file.name, file]))
}

async function forgetSame(database: Database, intent: PreparedIntent): Promise<void> {
  await completeTransfer(database, intent)
  await removeIntent(database, intent.id)
}

const publishedColumns = { id: 'text', token: 'integer', path: 'text', fingerprint: 'text' } as const

/** One statement for each table, over all works whose intents still are ours. */
async function finishWorks(
  { sql: db, dialect }: Database,
  holder: string,
  by: string,
  works: readonly PublishedWork[],
): Promise<boolean[]> {
  const given = rowSet(
    dialect,
    publishedColumns,
    works.map(({ id, token, path, fingerprint }) => ({ id, token, path, fingerprint })),
  )
  const now = dialect.now()
  const mine = sql`intent JOIN ${given} AS work ON work.id = intent.id AND work.token = intent.token`
  const isReady = sql`intent.holder = ${holder} AND intent.sha256 IS NOT NULL AND intent.kind IS NOT NULL
    AND intent.checksum IS NOT NULL`
  await sql`
    INSERT INTO file (name, create_time, size, checksum, sha256, kind, is_attested, uploader, source, first_uploader)
    SELECT intent.file_name, intent.create_time, intent.size, intent.checksum, intent.sha256, intent.kind,
      intent.is_attested, intent.uploader, intent.source, intent.first_uploader
    FROM ${mine} WHERE ${isReady}`.execute(db)
  await sql`
    INSERT INTO tree (file_name, manifest)
    SELECT intent.file_name, intent.manifest FROM ${mine} WHERE ${isReady} AND intent.manifest IS NOT NULL`.execute(db)
  await sql`
    INSERT INTO instance (path, file_name, store_id, deletion_policy, created_time, available, state,
      calculated_checksum, calculated_size, checksum_time, fingerprint)
    SELECT work.path, intent.file_name, intent.store_id, intent.deletion_policy, ${now}, 1, 'ok',
      intent.checksum, intent.size, ${now}, work.fingerprint
    FROM ${mine} WHERE ${isReady}`.execute(db)
  await sql`
    INSERT INTO proof (instance_id, file_name, store_id, time, medium, "by", outcome, sha256, size)
    SELECT instance.id, intent.file_name, intent.store_id, ${now}, 'commit', ${by}, 'ok', intent.sha256, intent.size
    FROM ${mine} JOIN instance ON instance.file_name = intent.file_name AND instance.store_id = intent.store_id
    WHERE ${isReady}`.execute(db)
  await sql`
    UPDATE incoming_transfer SET status = 'COMPLETED', end_time = ${now},
      transfer_manager_name = done.transfer_manager_name, deletion_policy = done.deletion_policy
    FROM (SELECT intent.incoming_transfer_id, intent.transfer_manager_name, intent.deletion_policy
      FROM ${mine} WHERE ${isReady}) AS done
    WHERE incoming_transfer.id = done.incoming_transfer_id AND incoming_transfer.status IN ('INITIATED','ONGOING','STAGED')
    `.execute(db)
  await sql`
    INSERT INTO finished_work (id, time) SELECT intent.id, ${now} FROM ${mine} WHERE ${isReady}`.execute(db)
  const { rows } = await sql<{ id: string }>`
    DELETE FROM intent WHERE id IN (SELECT intent.id FROM ${mine} WHERE ${isReady}) RETURNING id`.execute(db)
  const done = new Set(rows.map(({ id }) => id))
  return works.map(({ id }) => done.has(id))
}

async function failWork(database: Database, holder: string, work: FailedWork): Promise<boolean> {
  const intent = await database.sql
    .deleteFrom('intent')
    .where('id', '=', work.id)
    .where('token', '=', work.token)
    .where('holder', '=', holder)
    .returning('incoming_transfer_id')
    .executeTakeFirst()
  if (!intent) return false
  await addFinished(database, work.id)
  if (!work.keepsTransfer) await endTransfer(database, intent.incoming_transfer_id ?? undefined, work.reason)
  return true
}

async function completeTransfer({ sql, dialect }: Database, intent: PreparedIntent): Promise<void> {
  const { incoming_transfer_id: id, transfer_manager_name, deletion_policy } = intent
  if (id === null) return
  await sql
    .updateTable('incoming_transfer')
    .set({ status: 'COMPLETED', end_time: dialect.now(), transfer_manager_name, deletion_policy })
    .where('id', '=', id)
    .where('status', 'in', openStates)
    .execute()
}

async function endTransfer({ sql, dialect }: Database, id: number | undefined, reason: string): Promise<void> {
  if (id === undefined) return
  await sql
    .updateTable('incoming_transfer')
    .set({ status: 'FAILED', end_time: dialect.now(), reason })
    .where('id', '=', id)
    .where('status', 'in', openStates)
    .execute()
}

async function removeIntent(database: Database, id: string): Promise<void> {
  await database.sql.deleteFrom('intent').where('id', '=', id).execute()
  await addFinished(database, id)
}

async function addFinished({ sql, dialect }: Database, id: string): Promise<void> {
  await sql.insertInto('finished_work').values({ id, time: dialect.now() }).execute()
}

async function deleteFinished({ sql }: Database, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await sql.deleteFrom('finished_work').where('id', 'in', ids).execute()
}

/** Uploads on their way in: what is announced, where its bytes are expected, and how it ended (librarian 10.2, 7.3). */
import type { ErrorCode, Instant } from '@arriero/api'
import { type Selectable, sql } from 'kysely'
import { roomHeldSeconds } from '../limits.ts'
import { ancestorsOf, findObstacles } from '../nested-names.ts'
import { type Database, read, write } from '../operation.ts'
import { rowSet } from '../row-set.ts'
import type { IncomingTransferTable, TransferStatus } from '../schema.ts'
import { tellFailed } from './receiving/tell-source.ts'

export type IncomingTransfer = Selectable<IncomingTransferTable>

export interface NewUpload {
  readonly name: string
  readonly uploadName: string
  readonly size: number
  /** Empty: explicitly unattested. */
  readonly checksum: string
  readonly uploader: string
  /** The authenticated user. */
  readonly source: string
  /** UUID of the staging directory. */
  readonly stagingId: string
  /** 128 random bits in hex. */
  readonly token: string
  /** Announced as a directory: only a store that keeps trees may have it. */
  readonly isTree?: boolean | undefined
}

/** All conditions must hold. */
export interface TransferSearch {
  /** Only this user's. */
  readonly owner?: string | undefined
  readonly statuses?: readonly TransferStatus[] | undefined
  readonly uploader?: string | undefined
  readonly source?: string | undefined
  readonly name?: string | undefined
  /** Of the announcement; both inclusive. */
  readonly window?: readonly [Instant, Instant] | undefined
  /** Only those with a smaller number: the page after this one. */
  readonly after?: number | undefined
  readonly limit: number
}

/** A store that can be written to now, with what its disk has left. */
export interface RoomyStore {
  readonly id: number
  readonly free: number
  readonly hasTrees: boolean
}

export type StageOutcome =
  | {
      readonly outcome: 'staged'
      readonly transfer: IncomingTransfer
      /** What the store has left after all that is held for others, and after this one. */
      readonly free: number
    }
  | { readonly outcome: 'refused'; readonly code: ErrorCode; readonly message: string; readonly obstacle?: string }

export interface StageResult {
  readonly outcomes: readonly StageOutcome[]
  /** Earlier attempts that this one replaces: their staging may go. */
  readonly replaced: readonly IncomingTransfer[]
}

const openStates = ['INITIATED', 'ONGOING', 'STAGED'] as const

export const uploads = {
  /**
   * Announces uploads: names checked against what is kept, earlier attempts of the same user at the same name with the same
   * checksum ended (librarian Q14), and room taken from the first store that has it. The room of a transfer is held for it
   * while its bytes arrive, and again for the private copy that a commit makes; where nothing comes, for an hour.
   */
  stage: write<{ uploads: readonly NewUpload[]; stores: readonly RoomyStore[] }, StageResult>(
    async (database, { uploads: wanted, stores }) => {
      const names = wanted.map(({ name }) => name)
      const obstacles = await findObstacles(database, 'file', names)
      const free = wanted.filter(({ name }) => !obstacles.has(name))
      const replaced = await replaceEarlier(database, free)
      const places = await placeAll(database, free, stores)
      const transfers = await insertAll(database, free, places)
      const outcomes = wanted.map((upload): StageOutcome => {
        const obstacle = obstacles.get(upload.name)
        if (obstacle !== undefined) return refuseName(upload, obstacle)
        const place = places.get(upload)
        if (!place) return { outcome: 'refused', code: 'NoStore', message: noRoom }
        return { outcome: 'staged', transfer: transfers.get(upload.token)!, free: place.free }
      })
      return { outcomes, replaced }
    },
  ),

  get: read<{ id: number }, IncomingTransfer | undefined>(
    async ({ sql }, { id }) =>
      await sql.selectFrom('incoming_transfer').selectAll().where('id', '=', id).executeTakeFirst(),
  ),

  getMany: read<{ ids: readonly number[] }, IncomingTransfer[]>(
    async (database, { ids }) => await transfersOf(database, ids),
  ),

  byToken: read<{ token: string }, IncomingTransfer | undefined>(
    async ({ sql }, { token }) =>
      await sql.selectFrom('incoming_transfer').selectAll().where('token', '=', token).executeTakeFirst(),
  ),

  /** Newest first. */
  list: read<TransferSearch, IncomingTransfer[]>(async ({ sql }, search) => {
    let query = sql.selectFrom('incoming_transfer').selectAll().orderBy('id', 'desc').limit(search.limit)
    if (search.owner !== undefined) query = query.where('source', '=', search.owner)
    if (search.statuses !== undefined) query = query.where('status', 'in', search.statuses)
    if (search.uploader !== undefined) query = query.where('uploader', '=', search.uploader)
    if (search.source !== undefined) query = query.where('source', '=', search.source)
    if (search.name !== undefined) query = query.where('store_path', '=', search.name)
    if (search.window) query = query.where('start_time', '>=', search.window[0])
    if (search.window) query = query.where('start_time', '<=', search.window[1])
    if (search.after !== undefined) query = query.where('id', '<', search.after)
    return await query.execute()
  }),

  /** Ends open transfers that nobody commits now; senders of clones are told. Resolves to those that this call ended. */
  end: write<{ ids: readonly number[]; status: 'FAILED' | 'CANCELLED'; reason: string }, IncomingTransfer[]>(
    async (database, { ids, status, reason }) => {
      const ended = await endOpen(database, { ids, status, reason })
      await tellFailed(database, ended)
      return ended
    },
  ),

  /** Open uploads that were announced longer ago, by the database's clock; never clones, which their senders end. */
  abandoned: read<{ olderThanSeconds: number; limit: number }, number[]>(
    async ({ sql, dialect }, { olderThanSeconds, limit }) => {
      const rows = await sql
        .selectFrom('incoming_transfer')
        .select('id')
        .where('status', '=', 'INITIATED')
        .where('source_transfer_id', 'is', null)
        .where('start_time', '<', dialect.nowPlus(-olderThanSeconds))
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(({ id }) => id)
    },
  ),

  /** What is known of staging directories and spools, by UUID or by token; and of the spools of repairs. */
  know: read<{ names: readonly string[] }, ('open' | 'ended' | 'unknown')[]>(async ({ sql }, { names }) => {
    if (names.length === 0) return []
    const rows = await sql
      .selectFrom('incoming_transfer')
      .select(['staging_path', 'token', 'status'])
      .where(eb => eb.or([eb('staging_path', 'in', names), eb('token', 'in', names)]))
      .execute()
    const clones = await sql
      .selectFrom('clone_transfer')
      .select(['spool', 'status'])
      .where('spool', 'in', names)
      .execute()
    const states = new Map<string, 'open' | 'ended'>()
    for (const { spool, status } of clones) {
      if (spool !== null) states.set(spool, openStates.some(open => open === status) ? 'open' : 'ended')
    }
    for (const { staging_path, token, status } of rows) {
      const state = openStates.some(open => open === status) ? 'open' : 'ended'
      states.set(token, state)
      if (staging_path !== null) states.set(staging_path, state)
    }
    const repairs = await sql.selectFrom('repair').select(['id', 'state']).where('id', 'in', names).execute()
    for (const { id, state } of repairs) states.set(id, state === 'begun' || state === 'replacing' ? 'open' : 'ended')
    return names.map(name => states.get(name) ?? 'unknown')
  }),
}

/** Of those that are open, and that nobody commits now. Whoever must hear of it is the caller's to tell. */
export async function endOpen(
  { sql: db, dialect }: Database,
  { ids, status, reason }: { ids: readonly number[]; status: 'FAILED' | 'CANCELLED'; reason: string },
): Promise<IncomingTransfer[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<IncomingTransfer>`
    UPDATE incoming_transfer SET status = ${status}, reason = ${reason}, end_time = ${dialect.now()}
    WHERE id IN (SELECT wanted.id FROM ${idSet(dialect, ids)} AS wanted) AND status IN ('INITIATED','ONGOING','STAGED')
      AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.incoming_transfer_id = incoming_transfer.id)
    RETURNING *`.execute(db)
  return rows
}

export function idSet(dialect: Database['dialect'], ids: readonly number[]) {
  return rowSet(
    dialect,
    { id: 'integer' },
    ids.map(id => ({ id })),
  )
}

export async function transfersOf({ sql: db, dialect }: Database, ids: readonly number[]): Promise<IncomingTransfer[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<IncomingTransfer>`
    SELECT * FROM incoming_transfer WHERE id IN (SELECT wanted.id FROM ${idSet(dialect, ids)} AS wanted)`.execute(db)
  return rows
}

function refuseName({ name }: NewUpload, obstacle: string): StageOutcome {
  const why =
    obstacle === name
      ? 'it is kept already'
      : ancestorsOf(name).includes(obstacle)
        ? `it would lie in ${obstacle}, which is kept already`
        : `it would hold ${obstacle}, which is kept already`
  return { outcome: 'refused', code: 'FileExists', message: `Cannot take ${name}: ${why}`, obstacle }
}

/** Those that are being committed right now are left alone: they may well succeed. */
async function replaceEarlier(
  { sql: db, dialect }: Database,
  uploads: readonly NewUpload[],
): Promise<IncomingTransfer[]> {
  if (uploads.length === 0) return []
  const columns = { name: 'text', source: 'text', checksum: 'text' } as const
  const again = rowSet(
    dialect,
    columns,
    uploads.map(({ name, source, checksum }) => ({ name, source, checksum })),
  )
  // A cross join, so that SQLite asks by name for each of them instead of going through all that are open.
  const { rows } = await sql<IncomingTransfer>`
    UPDATE incoming_transfer SET status = 'FAILED', reason = 'replaced: the same user has announced this upload again', end_time = ${dialect.now()}
    WHERE id IN (
      SELECT earlier.id FROM ${again} AS again
      CROSS JOIN incoming_transfer AS earlier
      WHERE earlier.store_path = again.name AND earlier.source = again.source
        AND earlier.transfer_checksum = again.checksum AND earlier.status IN ('INITIATED','ONGOING','STAGED') AND earlier.source_transfer_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.incoming_transfer_id = earlier.id))
    RETURNING *`.execute(db)
  return rows
}

const noRoom = 'No stores available for upload. Your upload is too large.'

interface Place {
  readonly storeId: number
  /** What is left after it. */
  readonly free: number
}

/** The first store with room, for each; undefined where there is none. */
async function placeAll(
  database: Database,
  uploads: readonly NewUpload[],
  stores: readonly RoomyStore[],
): Promise<Map<NewUpload, Place>> {
  const open = await openStores(database, stores)
  const places = new Map<NewUpload, Place>()
  for (const upload of uploads) {
    const store = open.find(({ free, hasTrees }) => free > upload.size && (hasTrees || !upload.isTree))
    if (!store) continue
    store.free -= upload.size
    places.set(upload, { storeId: store.id, free: store.free })
  }
  return places
}

/** Those that are switched on, with what they have left after all that is announced to them. */
export async function openStores(
  database: Database,
  stores: readonly RoomyStore[],
): Promise<{ id: number; free: number; readonly hasTrees: boolean }[]> {
  const open: { id: number; free: number; readonly hasTrees: boolean }[] = []
  for (const { id, free, hasTrees } of stores) {
    const { enabled, reserved } = await stateOf(database, id)
    if (enabled) open.push({ id, free: free - reserved, hasTrees })
  }
  return open
}

async function stateOf(
  { sql: db, dialect }: Database,
  storeId: number,
): Promise<{ enabled: boolean; reserved: number }> {
  const store = await db.selectFrom('store').select('enabled').where('id', '=', storeId).executeTakeFirst()
  const { reserved } = await db
    .selectFrom('incoming_transfer')
    .select(eb => eb.fn.sum<number | string | null>('transfer_size').as('reserved'))
    .where('store_id', '=', storeId)
    .where('status', 'in', openStates)
    .where(({ or, eb, exists, fn, selectFrom }) =>
      or([
        eb(fn.coalesce('active_time', 'start_time'), '>', dialect.nowPlus(-roomHeldSeconds)),
        // Their senders end them.
        eb('source_transfer_id', 'is not', null),
        // Committed now, from a disk that its owner filled without telling.
        exists(
          selectFrom('intent').select('intent.id').whereRef('intent.incoming_transfer_id', '=', 'incoming_transfer.id'),
        ),
      ]),
    )
    .executeTakeFirstOrThrow()
  return { enabled: store?.enabled === 1, reserved: Number(reserved ?? 0) }
}

/** By token. Without a store a transfer has failed already; the row tells its owner why. */
async function insertAll(
  database: Database,
  uploads: readonly NewUpload[],
  places: ReadonlyMap<NewUpload, Place>,
): Promise<Map<string, IncomingTransfer>> {
  const rows = await insertTransfers(
    database,
    uploads.map(upload => {
      const place = places.get(upload)
      return {
        status: place ? 'INITIATED' : 'FAILED',
        uploader: upload.uploader,
        upload_name: upload.uploadName,
        source: upload.source,
        transfer_size: upload.size,
        transfer_checksum: upload.checksum,
        store_id: place?.storeId ?? null,
        staging_path: place ? upload.stagingId : null,
        store_path: upload.name,
        token: upload.token,
        reason: place ? null : noRoom,
        source_transfer_id: null,
        first_uploader: null,
        replaces_instance_id: null,
      }
    }),
  )
  return new Map(rows.map(row => [row.token, row]))
}

const transferColumns = {
  status: 'text',
  uploader: 'text',
  upload_name: 'text',
  source: 'text',
  transfer_size: 'integer',
  transfer_checksum: 'text',
  store_id: 'integer',
  staging_path: 'text',
  store_path: 'text',
  token: 'text',
  reason: 'text',
  source_transfer_id: 'integer',
  first_uploader: 'text',
  replaces_instance_id: 'integer',
} as const

export type NewTransfer = Readonly<Pick<IncomingTransfer, keyof typeof transferColumns>>

/** Announced now, in no order. */
export async function insertTransfers(
  { sql: db, dialect }: Database,
  transfers: readonly NewTransfer[],
): Promise<IncomingTransfer[]> {
  if (transfers.length === 0) return []
  const given = rowSet(dialect, transferColumns, transfers)
  const now = dialect.now()
  const { rows } = await sql<IncomingTransfer>`
    INSERT INTO incoming_transfer (status, uploader, upload_name, source, transfer_size, transfer_checksum, store_id,
      staging_path, store_path, token, reason, source_transfer_id, first_uploader, replaces_instance_id, deletion_policy,
      start_time, end_time)
    SELECT status, uploader, upload_name, source, transfer_size, transfer_checksum, store_id, staging_path, store_path,
      token, reason, source_transfer_id, first_uploader, replaces_instance_id, 'DISALLOWED', ${now},
      CASE WHEN status = 'FAILED' THEN ${now} END
    FROM ${given} AS upload WHERE true
    RETURNING *`.execute(db)
  return rows
}

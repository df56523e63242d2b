/** Making the catalogue again from what stores know (reliability G1). */
import type { Instant } from '@arriero/api'
import type { Selectable } from 'kysely'
import { ancestorsOf, findObstacles } from '../nested-names.ts'
import { type Database, read, write } from '../operation.ts'
import type { CopyState, DeletionPolicy, FileKind, FileTable } from '../schema.ts'
import { raiseOrder, takeNumbers } from '../trail-order.ts'
import { fillDigest } from './digests.ts'
import { unread } from './instances.ts'

export interface RebuiltFile {
  readonly name: string
  readonly kind: FileKind
  readonly size: number
  readonly checksum: string
  readonly sha256: string | null
  readonly isAttested: boolean
  readonly createTime: string
  readonly uploader: string
  readonly source: string
  readonly firstUploader: string | null
  readonly manifest: string | undefined
  /** Undefined: it was put away, and its name is kept for this content (reliability A4). */
  readonly copy: RebuiltCopy | undefined
}

export interface RebuiltCopy {
  readonly storeId: number
  readonly path: string
  readonly available: boolean
  readonly state: CopyState
  readonly deletionPolicy: DeletionPolicy
}

/** What lies in a quarantine, as the trail tells it. */
export interface QuarantinedCopy {
  readonly id: string
  readonly storeId: number
  readonly fileName: string
  /** Of the copy. */
  readonly path: string
  readonly found: CopyState
  readonly source: string
  readonly sha256: string | null
  readonly actor: string
  /** Since when it is there. */
  readonly time: Instant
}

/**
 * `known`: it is there already, with this copy if it has one · `other`: other content is there under this name · `nested`: its
 * name lies in another one, or that one in it · `coming`: such a name is being committed.
 */
export type RebuiltOutcome =
  | { readonly outcome: 'file' | 'copy' | 'known' | 'other' }
  | { readonly outcome: 'nested' | 'coming'; readonly obstacle: string }

export const rebuilding = {
  /** Whether nothing would be mixed with what is there. */
  isEmpty: read<void, boolean>(async ({ sql }) => {
    const file = await sql.selectFrom('file').select('name').limit(1).executeTakeFirst()
    const intent = await sql.selectFrom('intent').select('id').limit(1).executeTakeFirst()
    return file === undefined && intent === undefined
  }),

  /** Makes the rows that are missing, and changes none but for a digest that is told for the first time. An item that cannot be registered never stops its neighbours. */
  register: write<{ files: readonly RebuiltFile[] }, RebuiltOutcome[]>(async (database, { files }) => {
    const ground = await groundFor(database, files)
    const outcomes: RebuiltOutcome[] = []
    for (const file of files) {
      const outcome = judge(file, ground)
      outcomes.push(outcome)
      await tellDigest(database, file, ground)
      if (outcome.outcome === 'file') {
        await insertFile(database, file)
        note(file, ground)
      }
      if (file.copy && (outcome.outcome === 'file' || outcome.outcome === 'copy')) {
        await insertCopy(database, file.name, file.copy)
        ground.copies.add(copyKey(file.name, file.copy.storeId))
      }
    }
    return outcomes
  }),

  /** Makes the rows of repairs that are missing, and changes none. */
  quarantined: write<{ copies: readonly QuarantinedCopy[] }, void>(async ({ sql }, { copies }) => {
    for (const { id, storeId, fileName, path, found, source, sha256, actor, time } of copies) {
      const copy = sql.selectFrom('instance').select('id').where('file_name', '=', fileName)
      const instance = await copy.where('store_id', '=', storeId).executeTakeFirst()
      const row = { id, file_name: fileName, store_id: storeId, path, found, source, sha256, actor }
      await sql
        .insertInto('repair')
        .values({ ...row, state: 'done', holder: '', instance_id: instance?.id ?? 0, started: time, ended: time })
        .onConflict(on => on.column('id').doNothing())
        .execute()
    }
  }),

  /** What is known by now of these names. */
  known: read<{ names: readonly string[] }, Selectable<FileTable>[]>(async ({ sql }, { names }) => {
    if (names.length === 0) return []
    return await sql.selectFrom('file').selectAll().where('name', 'in', names).execute()
  }),

  /** Which of these names are trees. */
  treesAmong: read<{ names: readonly string[] }, string[]>(async ({ sql }, { names }) => {
    if (names.length === 0) return []
    const trees = sql.selectFrom('file').select('name').where('kind', '=', 'tree')
    const rows = await trees.where('name', 'in', names).execute()
    return rows.map(({ name }) => name)
  }),

  /** For each name, one that lies in it or that it lies in; its own is none. */
  findNested: read<{ names: readonly string[] }, (string | undefined)[]>(async (database, { names }) => {
    const met = await findObstacles(database, 'file', names)
    return names.map(name => (met.get(name) === name ? undefined : met.get(name)))
  }),

  /** Numbers of the trail for lines that are to be written; all are greater than those that were handed out. */
  takeOrders: write<{ count: number }, number[]>((database, { count }) => takeNumbers(database, count)),

  /** The trail has numbers up to this one, which an older catalogue has not handed out. */
  raiseOrder: write<{ over: number }, void>(async (database, { over }) => {
    await raiseOrder(database, over)
  }),

  /** Copies that were put away while the catalogue was a later one; resolves to how many rows went. */
  forgetCopies: write<{ storeId: number; names: readonly string[] }, number>(async ({ sql }, { storeId, names }) => {
    if (names.length === 0) return 0
    const rows = await sql
      .selectFrom('instance')
      .select('id')
      .where('store_id', '=', storeId)
      .where('file_name', 'in', names)
      .execute()
    const ids = rows.map(({ id }) => id)
    if (ids.length === 0) return 0
    await sql.deleteFrom('corrupt_file').where('instance_id', 'in', ids).execute()
    await sql.deleteFrom('instance').where('id', 'in', ids).execute()
    return ids.length
  }),
}

type Content = Pick<RebuiltFile, 'kind' | 'size' | 'checksum' | 'sha256'>

interface Ground {
  readonly files: Map<string, Content>
  readonly copies: Set<string>
  /** By name: what is in its way in the catalogue. */
  readonly nested: ReadonlyMap<string, string>
  readonly coming: ReadonlyMap<string, string>
  /** Directories that names of this batch lie in, and one of these names each. */
  readonly above: Map<string, string>
}

async function groundFor(database: Database, files: readonly RebuiltFile[]): Promise<Ground> {
  const { sql } = database
  const names = [...new Set(files.map(({ name }) => name))]
  if (names.length === 0)
    return { files: new Map(), copies: new Set(), nested: new Map(), coming: new Map(), above: new Map() }
  const known = await sql
    .selectFrom('file')
    .select(['name', 'kind', 'size', 'checksum', 'sha256'])
    .where('name', 'in', names)
    .execute()
  const copies = await sql
    .selectFrom('instance')
    .select(['file_name', 'store_id'])
    .where('file_name', 'in', names)
    .execute()
  return {
    files: new Map(known.map(file => [file.name, file])),
    copies: new Set(copies.map(copy => copyKey(copy.file_name, copy.store_id))),
    nested: await findObstacles(database, 'file', names),
    coming: await findObstacles(database, 'intent', names),
    above: new Map(),
  }
}

function judge(file: RebuiltFile, { files, copies, nested, coming, above }: Ground): RebuiltOutcome {
  const { name, copy } = file
  const known = files.get(name)
  if (known) {
    if (!isSame(known, file)) return { outcome: 'other' }
    return { outcome: !copy || copies.has(copyKey(name, copy.storeId)) ? 'known' : 'copy' }
  }
  const obstacle = nested.get(name) ?? above.get(name) ?? ancestorsOf(name).find(directory => files.has(directory))
  if (obstacle !== undefined) return { outcome: 'nested', obstacle }
  const live = coming.get(name)
  return live === undefined ? { outcome: 'file' } : { outcome: 'coming', obstacle: live }
}

/** A line of before the first reading has no digest of ours: then its sender's decides. */
function isSame(known: Content, told: Content): boolean {
  if (known.size !== told.size || known.kind !== told.kind) return false
  if (known.sha256 !== null && told.sha256 !== null) return known.sha256 === told.sha256
  return known.checksum === told.checksum
}

/** Where another store's line had none. */
async function tellDigest(database: Database, file: RebuiltFile, { files }: Ground): Promise<void> {
  const known = files.get(file.name)
  const { name, sha256, manifest } = file
  if (!known || known.sha256 !== null || sha256 === null || !isSame(known, file)) return
  await fillDigest(database, { name, sha256, manifest })
  files.set(name, { ...known, sha256 })
}

function note({ name, kind, size, checksum, sha256 }: RebuiltFile, { files, above }: Ground): void {
  files.set(name, { kind, size, checksum, sha256 })
  for (const directory of ancestorsOf(name)) above.set(directory, name)
}

async function insertFile({ sql }: Database, file: RebuiltFile): Promise<void> {
  await sql
    .insertInto('file')
    .values({
      name: file.name,
      create_time: file.createTime,
      size: file.size,
      checksum: file.checksum,
      sha256: file.sha256,
      kind: file.kind,
      is_attested: file.isAttested ? 1 : 0,
      uploader: file.uploader,
      source: file.source,
      first_uploader: file.firstUploader,
    })
    .execute()
  if (file.manifest === undefined) return
  await sql.insertInto('tree').values({ file_name: file.name, manifest: file.manifest }).execute()
}

async function insertCopy({ sql, dialect }: Database, name: string, copy: RebuiltCopy): Promise<void> {
  await sql
    .insertInto('instance')
    .values({
      path: copy.path,
      file_name: name,
      store_id: copy.storeId,
      deletion_policy: copy.deletionPolicy,
      created_time: dialect.now(),
      available: copy.available ? 1 : 0,
      state: copy.state,
      ...unread,
    })
    .execute()
}

function copyKey(name: string, storeId: number): string {
  return `${storeId} ${name}`
}

/** What is asked before bytes are sent: which file a path means, and which copies may be read. */
import type { Instant } from '@arriero/api'
import { sql } from 'kysely'
import type { Database } from '../operation.ts'
import { read } from '../operation.ts'
import { rowSet } from '../row-set.ts'
import type { Bit, CopyState, FileKind } from '../schema.ts'

export interface FoundFile {
  readonly name: string
  readonly kind: FileKind
  readonly size: number
  readonly checksum: string
  readonly sha256: string | null
  readonly create_time: Instant
  /** Path within the tree `name`; undefined: the file or tree itself. */
  readonly member: string | undefined
}

export interface FoundCopy {
  readonly id: number
  readonly store_id: number
  readonly state: CopyState
  readonly fingerprint: string | null
}

export interface FoundWithCopies extends FoundFile {
  readonly copies: readonly FoundCopy[]
}

export interface KeptFile {
  readonly name: string
  readonly kind: FileKind
  readonly size: number
  readonly checksum: string
  readonly copies: readonly KeptCopy[]
  /** Names of librarians. */
  readonly elsewhere: readonly string[]
}

export interface KeptCopy {
  readonly store_id: number
  readonly store: string
  readonly state: CopyState
  readonly available: Bit
  readonly withdrawn_by: string | null
  /** Of its store. */
  readonly enabled: Bit
  /** Of a bad copy: the first of the readings that found it so, one after the other. */
  readonly since: Instant | undefined
}

export const serving = {
  /**
   * The file of this name, or the tree that has the rest of the path as a member's. At most one can match: nothing is kept
   * above or below a name that is taken.
   */
  find: read<{ path: string }, FoundFile | undefined>(async ({ sql }, { path }) => {
    const rows = await sql
      .selectFrom('file')
      .select(['name', 'kind', 'size', 'checksum', 'sha256', 'create_time'])
      .where('name', 'in', [path, ...parentsOf(path)])
      .execute()
    const own = rows.find(({ name }) => name === path)
    if (own) return { ...own, member: undefined }
    const tree = rows.find(({ kind }) => kind === 'tree')
    return tree && { ...tree, member: path.slice(tree.name.length + 1) }
  }),

  /** Files and trees of just these names, with their copies as `copies` tells them. */
  many: read<{ names: readonly string[] }, readonly FoundWithCopies[]>(async ({ sql: db, dialect }, { names }) => {
    const wanted = rowSet(
      dialect,
      { name: 'text' },
      names.map(name => ({ name })),
    )
    const { rows: files } = await sql<Omit<FoundFile, 'member'>>`
      SELECT name, kind, size, checksum, sha256, create_time FROM file
      WHERE name IN (SELECT wanted.name FROM ${wanted} AS wanted)`.execute(db)
    const { rows: copies } = await sql<FoundCopy & { readonly file_name: string }>`
      SELECT instance.id, instance.file_name, instance.store_id, instance.state, instance.fingerprint
      FROM instance JOIN store ON store.id = instance.store_id
      WHERE instance.file_name IN (SELECT wanted.name FROM ${wanted} AS wanted) AND instance.available = 1 AND store.enabled = 1
      ORDER BY instance.id`.execute(db)
    const copiesOf = Map.groupBy(copies, ({ file_name }) => file_name)
    return files.map(file => ({ ...file, member: undefined, copies: copiesOf.get(file.name) ?? [] }))
  }),

  /** Copies on stores that are switched on, the oldest first. */
  copies: read<{ name: string }, readonly FoundCopy[]>(({ sql }, { name }) =>
    sql
      .selectFrom('instance')
      .innerJoin('store', 'store.id', 'instance.store_id')
      .select(['instance.id', 'instance.store_id', 'instance.state', 'instance.fingerprint'])
      .where('instance.file_name', '=', name)
      .where('instance.available', '=', 1)
      .where('store.enabled', '=', 1)
      .orderBy('instance.id')
      .execute(),
  ),

  /** What is kept under these names, and every copy of it here and elsewhere, in use or not. */
  kept: read<{ names: readonly string[] }, readonly KeptFile[]>(async ({ sql }, { names }) => {
    if (names.length === 0) return []
    const columns = ['name', 'kind', 'size', 'checksum'] as const
    const files = await sql.selectFrom('file').select(columns).where('name', 'in', names).execute()
    const copies = await sql
      .selectFrom('instance')
      .innerJoin('store', 'store.id', 'instance.store_id')
      .select(['instance.id', 'file_name', 'store_id', 'store.name as store', 'state', 'available', 'withdrawn_by'])
      .select('store.enabled')
      .where('file_name', 'in', names)
      .orderBy('instance.id')
      .execute()
    const remotes = await sql
      .selectFrom('remote_instance')
      .innerJoin('peer', 'peer.id', 'remote_instance.librarian_id')
      .select(['file_name', 'peer.name as librarian'])
      .distinct()
      .where('file_name', 'in', names)
      .execute()
    const since = await badSince(
      sql,
      copies.filter(({ state }) => isBad(state)).map(({ id }) => id),
    )
    const copiesOf = Map.groupBy(copies, ({ file_name }) => file_name)
    const elsewhere = Map.groupBy(remotes, ({ file_name }) => file_name)
    return files.map(file => ({
      ...file,
      copies: (copiesOf.get(file.name) ?? []).map(copy => ({ ...copy, since: since.get(copy.id) })),
      elsewhere: (elsewhere.get(file.name) ?? []).map(({ librarian }) => librarian),
    }))
  }),

  /** Lines of JSON, sorted by path. */
  manifest: read<{ name: string }, string | undefined>(async ({ sql }, { name }) => {
    const row = await sql.selectFrom('tree').select('manifest').where('file_name', '=', name).executeTakeFirst()
    return row?.manifest
  }),

  /** How much is kept, for those who ask what this place is. */
  totals: read<undefined, { count: number; size: number }>(({ sql }) => totals(sql)),
}

/** Whether a full read has shown that a copy is not what it must be. */
export function isBad(state: CopyState): boolean {
  return state === 'mismatch' || state === 'missing' || state === 'unreadable'
}

/** Of copies that are bad, by their numbers. A disk that was not there for a while says nothing about the bytes. */
export async function badSince(sql: Database['sql'], copies: readonly number[]): Promise<Map<number, Instant>> {
  if (copies.length === 0) return new Map()
  const rows = await sql
    .selectFrom('proof')
    .select(['instance_id', eb => eb.fn.min('time').as('since')])
    .where('instance_id', 'in', copies)
    .where('outcome', 'in', ['mismatch', 'missing', 'unreadable'])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('proof as later')
            .select('later.id')
            .whereRef('later.instance_id', '=', 'proof.instance_id')
            .whereRef('later.id', '>', 'proof.id')
            .where('later.outcome', '=', 'ok'),
        ),
      ),
    )
    .groupBy('instance_id')
    .execute()
  return new Map(rows.map(({ instance_id, since }) => [instance_id, since]))
}

async function totals(sql: Database['sql']): Promise<{ count: number; size: number }> {
  const row = await sql
    .selectFrom('file')
    .select(({ fn }) => [fn.countAll().as('count'), fn.sum('size').as('size')])
    .executeTakeFirstOrThrow()
  return { count: Number(row.count), size: Number(row.size ?? 0) }
}

/** `a/b/c` → `a/b`, `a`. */
function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) parents.push(path.slice(0, at))
  return parents
}

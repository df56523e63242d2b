/** What is asked before bytes are sent: which file a path means, and which copies may be read. */
import type { Instant } from '@arriero/api'
import type { Database } from '../operation.ts'
import { read } from '../operation.ts'
import type { CopyState, FileKind } from '../schema.ts'

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

  /** Lines of JSON, sorted by path. */
  manifest: read<{ name: string }, string | undefined>(async ({ sql }, { name }) => {
    const row = await sql.selectFrom('tree').select('manifest').where('file_name', '=', name).executeTakeFirst()
    return row?.manifest
  }),

  /** How much is kept, for those who ask what this place is. */
  totals: read<undefined, { count: number; size: number }>(({ sql }) => totals(sql)),
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

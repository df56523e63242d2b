/** Making the catalogue again from what stores know (reliability G1). */
import { read, write } from '../operation.ts'
import type { CopyState, DeletionPolicy, FileKind } from '../schema.ts'

export interface RebuiltCopy {
  readonly storeId: number
  readonly path: string
  readonly available: boolean
  readonly state: CopyState
  readonly deletionPolicy: DeletionPolicy
  readonly name: string
  readonly kind: FileKind
  readonly size: number
  readonly checksum: string
  readonly sha256: string | null
  readonly isAttested: boolean
  readonly createTime: string
  readonly uploader: string
  readonly source: string
  readonly manifest: string | undefined
}

/** `conflict`: another store has other content under this name. */
export type RebuiltOutcome = 'file' | 'copy' | 'conflict'

export const rebuilding = {
  /** Whether nothing would be mixed with what is there. */
  isEmpty: read<void, boolean>(async ({ sql }) => {
    const file = await sql.selectFrom('file').select('name').limit(1).executeTakeFirst()
    const intent = await sql.selectFrom('intent').select('id').limit(1).executeTakeFirst()
    return file === undefined && intent === undefined
  }),

  register: write<{ copies: readonly RebuiltCopy[] }, RebuiltOutcome[]>(async ({ sql, dialect }, { copies }) => {
    const outcomes: RebuiltOutcome[] = []
    for (const copy of copies) {
      const { name, kind, size, checksum, sha256, manifest } = copy
      const known = await sql.selectFrom('file').selectAll().where('name', '=', name).executeTakeFirst()
      if (known && (known.size !== size || known.sha256 !== sha256 || known.kind !== kind)) {
        outcomes.push('conflict')
        continue
      }
      if (!known) {
        await sql
          .insertInto('file')
          .values({
            name,
            create_time: copy.createTime,
            size,
            checksum,
            sha256,
            kind,
            is_attested: copy.isAttested ? 1 : 0,
            uploader: copy.uploader,
            source: copy.source,
            first_uploader: null,
          })
          .execute()
        if (manifest !== undefined) await sql.insertInto('tree').values({ file_name: name, manifest }).execute()
      }
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
          calculated_checksum: null,
          calculated_size: null,
          checksum_time: null,
          fingerprint: null,
          withdrawn_by: null,
        })
        .execute()
      outcomes.push(known ? 'copy' : 'file')
    }
    return outcomes
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

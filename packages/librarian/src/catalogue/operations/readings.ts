/** What reading a copy has shown (reliability C1, C2). */
import { write } from '../operation.ts'
import type { CopyState } from '../schema.ts'

export interface RecordedReading {
  readonly instanceId: number
  readonly fileName: string
  readonly storeId: number
  readonly outcome: CopyState
  readonly medium: 'medium' | 'cache'
  /** Who read it: this librarian's name. */
  readonly by: string
  readonly sha256: string | null
  readonly size: number | null
  /** Wire form of what was read; null where nothing could be. */
  readonly checksum: string | null
  readonly fingerprint: string | null
  /** Told to the operator, as an error row; undefined: there is nothing to tell. */
  readonly message: string | undefined
}

export const readings = {
  /** A proof row, the copy's new state, and a line for the operator where it is bad. */
  record: write<RecordedReading, void>(async ({ sql, dialect }, reading) => {
    const { instanceId, fileName, storeId, outcome, medium, by, sha256, size, checksum, fingerprint, message } = reading
    const now = dialect.now()
    await sql
      .insertInto('proof')
      .values({
        instance_id: instanceId,
        file_name: fileName,
        store_id: storeId,
        time: now,
        medium,
        by,
        outcome,
        sha256,
        size,
      })
      .execute()
    const isRead = outcome === 'ok' || outcome === 'mismatch'
    await sql
      .updateTable('instance')
      .set({ state: outcome })
      .$if(isRead, query =>
        query.set({ calculated_checksum: checksum, calculated_size: size, checksum_time: now, fingerprint }),
      )
      .where('id', '=', instanceId)
      .execute()
    if (message === undefined) return
    await sql
      .insertInto('error')
      .values({ severity: 'ERROR', category: categoryOf(outcome), message, raised_time: now, cleared: 0, caller: by })
      .execute()
  }),
}

function categoryOf(outcome: CopyState): string {
  return outcome === 'mismatch' ? 'DATA_INTEGRITY' : 'DATA_AVAILABILITY'
}

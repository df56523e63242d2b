/** What other librarians have shown of their copies (reliability E5), and which of them hold a file. */
import type { Selectable } from 'kysely'
import { read, write } from '../operation.ts'
import type { RemoteProofTable } from '../schema.ts'

export interface NewRemoteProof {
  readonly fileName: string
  /** Its name; of one that is not known any more nothing is recorded. */
  readonly librarian: string
  /** The store's number there. */
  readonly storeId: number
  readonly medium: RemoteProofTable['medium']
  readonly outcome: RemoteProofTable['outcome']
}

export const remoteProofs = {
  record: write<{ proofs: readonly NewRemoteProof[] }, void>(async ({ sql, dialect }, { proofs }) => {
    for (const { fileName, librarian, storeId, medium, outcome } of proofs) {
      const peer = await sql.selectFrom('peer').select('id').where('name', '=', librarian).executeTakeFirst()
      if (!peer) continue
      const of = { file_name: fileName, librarian_id: peer.id, store_id: storeId }
      await sql
        .insertInto('remote_proof')
        .values({ ...of, time: dialect.now(), medium, outcome })
        .execute()
    }
  }),

  /** Newest first. */
  ofFile: read<{ name: string; limit: number }, Selectable<RemoteProofTable>[]>(
    async ({ sql }, { name, limit }) =>
      await sql
        .selectFrom('remote_proof')
        .selectAll()
        .where('file_name', '=', name)
        .orderBy('id', 'desc')
        .limit(limit)
        .execute(),
  ),

  /** Names of librarians that are known to hold a copy, each once. */
  holdersOf: read<{ name: string }, string[]>(async ({ sql }, { name }) => {
    const rows = await sql
      .selectFrom('remote_instance')
      .innerJoin('peer', 'peer.id', 'remote_instance.librarian_id')
      .select('peer.name')
      .distinct()
      .where('remote_instance.file_name', '=', name)
      .orderBy('peer.name')
      .execute()
    return rows.map(row => row.name)
  }),
}

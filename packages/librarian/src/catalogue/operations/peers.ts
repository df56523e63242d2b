/** Other librarians, as this one knows them (librarian 3.10). */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { audited, ifDone } from '../audited.ts'
import { type Database, read, write } from '../operation.ts'
import type { PeerTable } from '../schema.ts'

export interface Peer {
  readonly id: number
  readonly name: string
  /** With scheme, without port. */
  readonly url: string
  readonly port: number
  /** Fernet token of `user:password`. */
  readonly authenticator: string
  readonly transfersEnabled: boolean
  /** When we last reached it. */
  readonly lastSeen: Instant
  /** When it last called. */
  readonly lastHeard: Instant
}

export type NewPeer = Pick<Peer, 'name' | 'url' | 'port' | 'authenticator'>

export interface RemovedPeer {
  readonly peer: Peer
  /** Transfers that were open and now are failed. */
  readonly failed: readonly { readonly id: number; readonly remoteId: number | null }[]
  /** Copies there that are no longer known of. */
  readonly forgottenCopies: number
}

const open = ['INITIATED', 'ONGOING', 'STAGED'] as const

export const peers = {
  /** In order of id. */
  list: read<void, Peer[]>(async ({ sql }) => {
    const rows = await sql.selectFrom('peer').selectAll().orderBy('id').execute()
    return rows.map(toPeer)
  }),

  find: read<{ name: string }, Peer | undefined>((database, { name }) => findPeer(database, name)),

  /** False: there is one of this name. */
  add: audited<NewPeer, boolean>(
    async ({ sql, dialect }, peer) => {
      const done = await sql
        .insertInto('peer')
        .values({ ...peer, transfers_enabled: 1, last_seen: dialect.now(), last_heard: dialect.now() })
        .onConflict(conflict => conflict.column('name').doNothing())
        .executeTakeFirst()
      return (done.numInsertedOrUpdatedRows ?? 0n) > 0n
    },
    isNew => (isNew ? 'done' : 'exists'),
  ),

  /**
   * Forgets a peer and the copies it is known to hold: a copy that nobody can ask for proves nothing. Open transfers to it
   * fail where that is asked for; ended ones stay as they ended. Undefined: no such peer.
   */
  remove: audited<{ name: string; failTransfers: boolean }, RemovedPeer | undefined>(
    async (database, { name, failTransfers }) => {
      const { sql, dialect } = database
      const peer = await findPeer(database, name)
      if (!peer) return undefined
      const failed = failTransfers
        ? await sql
            .updateTable('outgoing_transfer')
            .set({ status: 'FAILED', end_time: dialect.now() })
            .where('destination', '=', name)
            .where('status', 'in', open)
            .returning(['id', 'remote_transfer_id'])
            .execute()
        : []
      const forgotten = await sql.deleteFrom('remote_instance').where('librarian_id', '=', peer.id).executeTakeFirst()
      await sql.deleteFrom('peer').where('id', '=', peer.id).execute()
      return {
        peer,
        failed: failed.map(row => ({ id: row.id, remoteId: row.remote_transfer_id })),
        forgottenCopies: Number(forgotten.numDeletedRows),
      }
    },
    removed => ifDone(removed !== undefined),
  ),

  setTransfersEnabled: audited<{ name: string; enabled: boolean }, void>(async ({ sql }, { name, enabled }) => {
    const done = await sql
      .updateTable('peer')
      .set({ transfers_enabled: enabled ? 1 : 0 })
      .where('name', '=', name)
      .executeTakeFirst()
    if (done.numUpdatedRows > 0n) return
    throw new LibrarianError('UnknownLibrarian', `Cannot change transfers to ${name}: there is no such librarian`)
  }),

  /** That it answered, or called. */
  touch: write<{ name: string; seen?: boolean; heard?: boolean }, void>(
    async ({ sql, dialect }, { name, seen = false, heard = false }) => {
      if (!seen && !heard) return
      await sql
        .updateTable('peer')
        .set({ ...(seen ? { last_seen: dialect.now() } : {}), ...(heard ? { last_heard: dialect.now() } : {}) })
        .where('name', '=', name)
        .execute()
    },
  ),
}

async function findPeer({ sql }: Database, name: string): Promise<Peer | undefined> {
  const row = await sql.selectFrom('peer').selectAll().where('name', '=', name).executeTakeFirst()
  return row && toPeer(row)
}

function toPeer(row: Omit<PeerTable, 'id'> & { id: number }): Peer {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    port: row.port,
    authenticator: row.authenticator,
    transfersEnabled: row.transfers_enabled === 1,
    lastSeen: row.last_seen,
    lastHeard: row.last_heard,
  }
}

/** Other librarians, as this one knows them (librarian 3.10). */
import type { Instant } from '@arriero/api'
import { LibrarianError } from '@arriero/api/errors'
import { audited, ifDone } from '../audited.ts'
import { type Database, read, write } from '../operation.ts'
import type { PeerTable } from '../schema.ts'
import { isOpen } from './outgoing-states.ts'
import { endItemsTo } from './send-queue.ts'

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
  /** Since when it refuses our account there. */
  readonly refusedSince: Instant | null
}

export type NewPeer = Pick<Peer, 'name' | 'url' | 'port' | 'authenticator'>

export interface RemovedPeer {
  readonly peer: Peer
  /** Transfers that were open and now are failed. */
  readonly failed: readonly { readonly id: number; readonly remoteId: number | null }[]
  /** Copies there that are no longer known of. */
  readonly forgottenCopies: number
}

export const peers = {
  /** In order of id. */
  list: read<void, Peer[]>(async ({ sql }) => {
    const rows = await sql.selectFrom('peer').selectAll().orderBy('id').execute()
    return rows.map(toPeer)
  }),

  find: read<{ name: string }, Peer | undefined>((database, { name }) => findPeer(database, name)),

  /** Resolves to the one that is known already, by this name or at this address. */
  add: audited<NewPeer, Peer | undefined>(
    async (database, peer) => {
      const { sql, dialect } = database
      const known = sameSite((await sql.selectFrom('peer').selectAll().orderBy('id').execute()).map(toPeer), peer)
      if (known) return known
      const done = await sql
        .insertInto('peer')
        .values({ ...peer, transfers_enabled: 1, last_seen: dialect.now(), last_heard: dialect.now() })
        .onConflict(conflict => conflict.column('name').doNothing())
        .executeTakeFirst()
      return (done.numInsertedOrUpdatedRows ?? 0n) > 0n ? undefined : await findPeer(database, peer.name)
    },
    known => (known ? 'exists' : 'done'),
  ),

  /**
   * Forgets a peer. What becomes of what has to do with it:
   *
   *   copies it is known to hold    forgotten: a copy that nobody can ask for proves nothing
   *   open transfers to it          with `failTransfers` they fail, with the reason; else they wait, and the hypervisor of
   *                                 outgoing transfers ends them when they are old
   *   batches of the queue          end with their transfers; else they wait, and take nobody's place
   *   messages that wait for it     go with `failTransfers`; else they are delivered to whoever is added under its name
   *   what came from it             stays, its files with their source; open transfers from it the hypervisor of incoming
   *                                 ones ends when they are old
   *   disks, pinned key, audit      stay: a new librarian of this name has to show the same key
   *
   * Undefined: no such peer.
   */
  remove: audited<{ name: string; failTransfers: boolean }, RemovedPeer | undefined>(
    async (database, { name, failTransfers }) => {
      const { sql } = database
      const peer = await findPeer(database, name)
      if (!peer) return undefined
      const failed = failTransfers ? await endAllTo(database, name) : []
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

  /** Whether it refuses our account there; the time is of the first refusal. */
  refuse: write<{ name: string; refuses: boolean }, void>(async ({ sql, dialect }, { name, refuses }) => {
    await sql
      .updateTable('peer')
      .set({ refused_since: refuses ? dialect.now() : null })
      .where('name', '=', name)
      .where('refused_since', refuses ? 'is' : 'is not', null)
      .execute()
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

/** Of the known ones, the one of this name; else the one at this address. */
export function sameSite(known: readonly Peer[], { name, url, port }: Pick<Peer, 'name' | 'url' | 'port'>) {
  return known.find(each => each.name === name) ?? known.find(each => each.url === url && each.port === port)
}

/** Whoever is removed for good has nothing more to wait for. Resolves to the transfers that were open. */
async function endAllTo(database: Database, name: string) {
  const { sql, dialect } = database
  const reason = `The librarian ${name} was removed.`
  const failed = await sql
    .updateTable('outgoing_transfer')
    .set({ status: 'FAILED', end_time: dialect.now(), reason })
    .where('destination', '=', name)
    .where(isOpen)
    .returning(['id', 'remote_transfer_id'])
    .execute()
  await endItemsTo(database, name, reason)
  await sql.deleteFrom('message').where('peer', '=', name).execute()
  return failed
}

async function findPeer({ sql }: Database, name: string): Promise<Peer | undefined> {
  const row = await sql.selectFrom('peer').selectAll().where('name', '=', name).executeTakeFirst()
  return row && toPeer(row)
}

function toPeer(row: Omit<PeerTable, 'id' | 'signing_key'> & { id: number }): Peer {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    port: row.port,
    authenticator: row.authenticator,
    transfersEnabled: row.transfers_enabled === 1,
    lastSeen: row.last_seen,
    lastHeard: row.last_heard,
    refusedSince: row.refused_since,
  }
}

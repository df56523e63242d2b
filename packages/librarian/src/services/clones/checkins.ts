/** Two librarians compare notes on transfers (librarian 10.4). */
import type { TransferStatus } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Movable, Unmoved } from '../../catalogue/operations/receiving.ts'
import type { Log } from '../../log.ts'
import type { Caller } from '../../routes/route.ts'
import type { Stores } from '../../stores/stores.ts'
import { removeBytes } from '../uploads/remove-bytes.ts'
import { moverOf } from './create-clones.ts'

export interface Ids {
  /** Of outgoing transfers. */
  readonly outgoing: readonly number[]
  /** Of incoming ones. */
  readonly incoming: readonly number[]
}

export interface Updated {
  readonly modified: Ids
  readonly unmodified: Ids
  /** Distinct. */
  readonly reasons: readonly string[]
}

export interface Checkins {
  /** Each is judged on its own; nothing is ever COMPLETED by this. */
  update(ids: Ids, status: TransferStatus, caller: Caller): Promise<Updated>
  /** By number; null: unknown, or another's. */
  status(
    ids: Ids,
    caller: Caller,
  ): Promise<{
    readonly outgoing: ReadonlyMap<number, TransferStatus | null>
    readonly incoming: ReadonlyMap<number, TransferStatus | null>
  }>
}

export interface CheckinsOptions {
  readonly catalogue: Pick<Catalogue, 'checkins' | 'receiving'>
  readonly stores: Stores
  readonly log: Log
}

export function createCheckins(options: CheckinsOptions): Checkins {
  const { catalogue } = options

  return {
    async update({ outgoing, incoming }, status, caller) {
      if (!isMovable(status)) {
        const reasons = outgoing.length + incoming.length === 0 ? [] : [`No transfer may be set to ${status}.`]
        return { modified: { outgoing: [], incoming: [] }, unmodified: { outgoing, incoming }, reasons }
      }
      const move = { to: status, mover: moverOf(caller), reason: `${caller.name} has set it to ${status}` }
      const sent = await catalogue.checkins.moveOutgoing({ ids: outgoing, ...move })
      const received = await catalogue.receiving.move({ ids: incoming, ...move })
      const isEnd = status === 'FAILED' || status === 'CANCELLED'
      if (isEnd) await Promise.all(received.moved.map(transfer => removeBytes(transfer, options)))
      return {
        modified: { outgoing: idsOf(sent.moved, outgoing), incoming: idsOf(received.moved, incoming) },
        unmodified: { outgoing: idsOf(sent.unmoved, outgoing), incoming: idsOf(received.unmoved, incoming) },
        reasons: [...new Set([...sent.unmoved, ...received.unmoved].map(one => reasonOf(one, status)))],
      }
    },

    async status(ids, caller) {
      const found = await catalogue.checkins.status({ ...ids, mover: moverOf(caller) })
      const of = (asked: readonly number[], known: typeof found.outgoing) => {
        const byId = new Map(known.map(one => [one.id, one.status]))
        return new Map(asked.map(id => [id, byId.get(id) ?? null]))
      }
      return { outgoing: of(ids.outgoing, found.outgoing), incoming: of(ids.incoming, found.incoming) }
    },
  }
}

function isMovable(status: TransferStatus): status is Movable {
  return status !== 'INITIATED' && status !== 'COMPLETED'
}

/** In the order in which they were asked for. */
function idsOf(found: readonly { readonly id: number }[], asked: readonly number[]): number[] {
  const ids = new Set(found.map(({ id }) => id))
  return [...new Set(asked)].filter(id => ids.has(id))
}

/** Of another's nothing is told. */
function reasonOf({ why, status }: Unmoved, to: Movable): string {
  if (why === 'busy') return 'The transfer is being committed now.'
  if (why === 'state') return `A transfer that is ${status} cannot be set to ${to}.`
  return 'There is no such transfer of yours.'
}

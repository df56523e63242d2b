import type { Method } from '@arriero/transfer'
import type { ItemTransfer } from '../../catalogue/operations/send-queue.ts'
import type { Carrier } from './carrier.ts'

/** A method that writes into the receiver's staging area. */
export function methodCarrier(method: Method): Carrier {
  return {
    name: method.name,
    isAnnounced: true,
    lookSeconds: 0,
    whyNot: state => method.whyNot(state),
    async begin({ item, state, open }, { signal }) {
      const label = `${item.destination} ${item.id}`
      return { state: await method.transfer(open.map(toItem), { state, label, signal }), refused: [] }
    },
    async standing({ state }, { signal }) {
      const standing = await method.status(state, { signal })
      switch (standing.status) {
        case 'complete':
          return { status: 'complete', failed: [] }
        case 'running':
          return { status: 'running' }
        default:
          return { status: standing.status, reason: standing.reason }
      }
    },
    cancel: ({ state }, { signal }) => method.cancel(state, { signal }),
    details: ({ state }, { signal }) => method.details(state, { signal }),
  }
}

function toItem({ source_path, dest_path, transfer_size, kind }: ItemTransfer) {
  // Both are written when the receiver has taken it, before it is in the queue.
  return { source: source_path!, target: dest_path!, size: transfer_size, isTree: kind === 'tree' }
}

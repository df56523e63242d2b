/**
 * The receiver's staging area is a directory of this machine (librarian 9.1): the sender copies into it.
 *
 * Nothing is synced to disk here. What is staged is read in full, compared and made durable by whoever receives it, and a
 * copy that a power cut has spoilt is one that does not match.
 */
import { hostname as ownHostname } from 'node:os'
import { type Clock, systemClock } from '../clock.ts'
import type { Method, MethodItem, MethodState } from '../method.ts'
import { attempt, detailsOf, standingOf } from './attempt.ts'
import { checkItems, hasAborted, refuseIf } from './batch.ts'
import { copyItem } from './copy/copy-item.ts'
import { Leftovers } from './copy/leftovers.ts'
import { Parents } from './local-target.ts'

/** Options of the method that copies on one machine. */
export interface CopyMethodOptions {
  /** Of this machine, as receivers name it. Default: the system's. */
  readonly hostname?: string | undefined
  /** Items at once. Default 4. */
  readonly itemsAtOnce?: number | undefined
  readonly clock?: Clock | undefined
}

/** Copies between directories that this machine sees. */
export function createCopyMethod(options: CopyMethodOptions = {}): Method {
  const { hostname = ownHostname(), itemsAtOnce = 4, clock = systemClock } = options
  return {
    name: 'local',
    whyNot: state => whyNot(state, hostname),
    async transfer(items, { state, signal, onProgress }) {
      refuseIf(whyNot(state, hostname), 'local')
      checkItems(items, 'local')
      return attempt({ state, items, clock, signal }, () => copyAll(items, { itemsAtOnce, signal, onProgress }))
    },
    status: async state => standingOf(state),
    // It is done by the call that began it, and ends with that call's signal.
    cancel: async () => {},
    details: async state =>
      detailsOf(state, { kind: 'local', sourceEndpoint: hostname, destinationEndpoint: hostname }),
  }
}

function whyNot({ hostnames }: MethodState, hostname: string): string | undefined {
  if (!Array.isArray(hostnames)) return 'it must say on which machines it works (hostnames)'
  if (hostnames.includes(hostname)) return undefined
  return `it works on ${hostnames.length > 0 ? hostnames.join(', ') : 'no machine'}, this is ${hostname}`
}

interface CopyAllOptions {
  readonly itemsAtOnce: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** In order; the first failure is the batch's, and nothing is begun after it. */
async function copyAll(items: readonly MethodItem[], { itemsAtOnce, signal, onProgress }: CopyAllOptions) {
  const failed = new AbortController()
  let moved = 0
  const context = {
    parents: new Parents(),
    leftovers: new Leftovers(),
    signal: signal ? AbortSignal.any([signal, failed.signal]) : failed.signal,
    onBytes(bytes: number) {
      moved += bytes
      onProgress?.(moved)
    },
  }
  const waiting = items.values()
  const crew = Array.from({ length: itemsAtOnce }, async () => {
    for (const item of waiting) {
      if (hasAborted(context.signal)) return
      await copyItem(item, context).catch(error => failed.abort(error))
    }
  })
  await Promise.all(crew)
  context.signal.throwIfAborted()
}

/**
 * What other librarians say of their copies of a file (librarian 10.9, 11.8): each that is known to hold one is asked, all at
 * once and within a time limit. They ask those behind them; whom the call has come through already is not asked again, so that
 * librarians that know each other do not ask in a circle, and nobody is asked beyond a depth.
 */
import { type AnswerOf, type endpoints, LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Log } from '../log.ts'
import type { PeerConnections } from './peer-connections.ts'

export type RemoteEntry = AnswerOf<typeof endpoints.validate.file>[number]

export interface RemoteValidation {
  readonly entries: readonly RemoteEntry[]
  /** Librarians that gave no answer, or showed no copy of their own, though they are known to hold one. */
  readonly unreachable: readonly string[]
}

export interface PeerValidation {
  /** @param via names of those that the call has come through. Never rejects but with the signal's reason. */
  ask(name: string, via: readonly string[], signal: AbortSignal): Promise<RemoteValidation>
}

export interface PeerValidationOptions {
  readonly catalogue: Pick<Catalogue, 'remoteProofs'>
  readonly connections: PeerConnections
  /** Our own `name`. */
  readonly name: string
  readonly log: Log
  /** For all together, ms; those that we ask have less, so that their answer comes in time. Default 20 min. */
  readonly timeoutMs?: number | undefined
  /** Librarians in a row, at most. Default 8. */
  readonly depth?: number | undefined
}

const MINUTE_MS = 60_000

export function createPeerValidation(options: PeerValidationOptions): PeerValidation {
  const { catalogue, connections, name: own, log, timeoutMs = 20 * MINUTE_MS, depth = 8 } = options

  async function askOne(librarian: string, name: string, via: readonly string[], signal: AbortSignal) {
    const { connection } = await connections.to(librarian)
    try {
      return await connection.validate.file({ file_name: name, via: [...via] }, { signal })
    } catch (error) {
      // It answers, and has no copy.
      if (error instanceof LibrarianError && error.code === 'NotFound') return []
      throw error
    }
  }

  return {
    async ask(name, via, signal) {
      if (via.includes(own) || via.length >= depth) return { entries: [], unreachable: [] }
      const passed = new Set([...via, own])
      const holders = (await catalogue.remoteProofs.holdersOf({ name })).filter(holder => !passed.has(holder))
      // Whoever is nearer to the asker waits longer.
      const limit = AbortSignal.timeout(timeoutMs / (via.length + 1))
      const within = AbortSignal.any([signal, limit])
      const answers = await Promise.allSettled(
        holders.map(holder => withEnd(askOne(holder, name, [...passed], within), within)),
      )
      signal.throwIfAborted()
      const unreachable = holders.filter((holder, at) => !tellsOfItself(holder, answers[at]!))
      for (const librarian of unreachable)
        log.warn({ librarian, file: name }, 'A librarian did not say how its copy is')
      const entries = answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
      return { entries: oncePerCopy(entries, own), unreachable }
    },
  }
}

/** A copy whose disk is away is no entry of an answer (librarian 10.9), and is no good one either. */
function tellsOfItself(holder: string, answer: PromiseSettledResult<readonly RemoteEntry[]>): boolean {
  return answer.status === 'fulfilled' && answer.value.some(({ librarian }) => librarian === holder)
}

/** Whatever the call does with the signal. */
async function withEnd<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const end = () => reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([call, promise])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** Several routes may lead to one copy; and what others say of ours we know better. */
function oncePerCopy(entries: readonly RemoteEntry[], own: string): RemoteEntry[] {
  const byCopy = new Map<string, RemoteEntry>()
  for (const entry of entries) {
    const key = JSON.stringify([entry.librarian, entry.store, entry.instance_id])
    const known = byCopy.get(key)
    if (entry.librarian === own || (known && !known.computed_same_checksum)) continue
    byCopy.set(key, entry)
  }
  return [...byCopy.values()]
}

/**
 * Turns of writing that several processes take by leases in the catalogue.
 *
 *     take → every second: does another process want it? → every third of the lease: prolong → give back
 *     taken by another: say so in the catalogue, try again until patience ends, then Locked
 *     not prolonged in time, by our own clock: stop before the lease has ended by the catalogue's
 *
 * A lease is leave to try. That a process which lost its own without knowing does no harm is the store's part: whoever takes
 * over goes on in an inode that the other one never opened (reliability E2).
 */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { WriteGuard, WriteTurn } from './write-guard.ts'

export interface SharedTurnsOptions {
  readonly catalogue: Pick<Catalogue, 'uploadTurns'>
  readonly clock: Clock
  readonly log: Log
  /** This process, as leases name it. */
  readonly holder: string
  /** Whether a process is known to be dead; false: it may live. */
  isDead(holder: string): boolean
  /** Default 30. */
  readonly leaseSeconds?: number | undefined
  /** How long to wait for another process to stop; ms. Default 5000. */
  readonly patienceMs?: number | undefined
}

interface Held {
  readonly turn: number
  readonly onEnd: (why: LibrarianError) => void
  /** By our own clock, before which it must be prolonged. */
  expires: number
}

const LOOK_MS = 1000
const TRY_MS = 250

export function createSharedTurns(options: SharedTurnsOptions): WriteGuard & AsyncDisposable {
  const { catalogue, clock, log, holder, isDead, leaseSeconds = 30, patienceMs = 5000 } = options
  const held = new Map<string, Held>()
  const stop = new AbortController()
  let watching: Promise<void> | undefined

  async function enter(token: string, onEnd: Held['onEnd']): Promise<WriteTurn> {
    const deadline = clock.now() + patienceMs
    for (let dead: { holder: string; turn: number } | undefined; ; ) {
      const askedAt = clock.now()
      const met = await catalogue.uploadTurns.take({ token, holder, seconds: leaseSeconds, dead })
      if (met.outcome === 'yours') {
        held.set(token, { turn: met.turn, onEnd, expires: expiryAfter(askedAt) })
        watching ??= watch().finally(() => {
          watching = undefined
        })
        return turnOf(token, met.turn, met.before !== undefined && !isDead(met.before))
      }
      dead = isDead(met.holder) ? { holder: met.holder, turn: met.turn } : undefined
      if (dead) continue
      if (clock.now() >= deadline) throw locked(token)
      await catalogue.uploadTurns.want({ token, holder, seconds: Math.ceil(patienceMs / 1000) + 1 })
      await clock.sleep(TRY_MS, stop.signal)
    }
  }

  /** A third is left for what is on its way to the disk. */
  function expiryAfter(askedAt: number): number {
    return askedAt + (leaseSeconds * 1000 * 2) / 3
  }

  function turnOf(token: string, turn: number, isTakenOver: boolean): WriteTurn {
    return {
      number: turn,
      isTakenOver,
      async [Symbol.asyncDispose]() {
        held.delete(token)
        // One that cannot be given back ends by itself.
        await catalogue.uploadTurns
          .end({ token, holder, turn })
          .catch(error => log.warn({ err: error }, 'A turn of writing could not be given back; it ends by itself'))
      },
    }
  }

  async function watch(): Promise<void> {
    let prolongAt = clock.now() + (leaseSeconds * 1000) / 3
    while (held.size > 0 && !stop.signal.aborted) {
      await clock.sleep(LOOK_MS, stop.signal).catch(() => {})
      endExpired()
      try {
        if (clock.now() >= prolongAt) {
          await prolong()
          prolongAt = clock.now() + (leaseSeconds * 1000) / 3
        }
        for (const token of await catalogue.uploadTurns.wanted({ tokens: [...held.keys()], holder })) {
          held.get(token)?.onEnd(new LibrarianError('Locked', 'A newer request, at another process, wants to write'))
        }
      } catch (error) {
        log.debug({ err: error }, 'turns of writing could not be looked at')
      }
    }
  }

  async function prolong(): Promise<void> {
    const askedAt = clock.now()
    const mine = [...held].map(([token, { turn }]) => ({ token, turn }))
    const kept = new Set(await catalogue.uploadTurns.keep({ holder, seconds: leaseSeconds, turns: mine }))
    for (const { token, turn } of mine) {
      const one = held.get(token)
      if (one?.turn !== turn) continue
      if (kept.has(token)) one.expires = expiryAfter(askedAt)
      else one.onEnd(lost(token))
    }
  }

  function endExpired(): void {
    for (const [token, one] of held) if (clock.now() >= one.expires) one.onEnd(lost(token))
  }

  return {
    enter,
    async [Symbol.asyncDispose]() {
      stop.abort(new LibrarianError('Busy', 'The server is stopping'))
      await watching
    },
  }
}

function lost(token: string): LibrarianError {
  return new LibrarianError('Locked', `Cannot go on writing to upload ${token}: another process may write to it now`)
}

function locked(token: string): LibrarianError {
  return new LibrarianError('Locked', `Cannot write to upload ${token} yet: another process is writing to it`, {
    retryAfterSeconds: 1,
  })
}

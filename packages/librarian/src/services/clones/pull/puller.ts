/**
 * Fetches clones from their senders, where these ask for it (`clone/pull`, decision 0031):
 *
 *   look    from which librarians something is to be fetched; now when it is woken, else every few seconds
 *   lane    one for each of them, so that one that is dead delays nobody; one process has it, by a lease
 *   pause   who cannot be reached is left alone for a while, up to an hour; what was asked for stays in the catalogue
 *
 * Killed anywhere, another process goes on: with small files from the beginning, with large ones from what is durable of them.
 */

import type { Catalogue } from '../../../catalogue/catalogue.ts'
import type { Clock } from '../../../clock.ts'
import type { Log } from '../../../log.ts'
import { holdLease } from '../../hold-lease.ts'
import type { PeerConnections } from '../../peer-connections.ts'
import { PeerPauses } from '../../peer-pauses.ts'
import { PeerDown } from './peer-down.ts'
import { type PullLaneOptions, runPullLane } from './pull-lane.ts'
import { createTries } from './tries.ts'

export interface PullerOptions extends Omit<PullLaneOptions, 'peer' | 'signal' | 'tries' | 'watchMs' | 'onHeard'> {
  readonly catalogue: PullLaneOptions['catalogue'] & Pick<Catalogue, 'leases' | 'peers'>
  readonly connections: PeerConnections
  readonly clock: Clock
  readonly log: Log
  /** This process, as leases name it. */
  readonly holder: string
  readonly tuning?: PullerTuning | undefined
}

export interface PullerTuning {
  /** How often what is to be fetched is looked for that another process has written. Default 10,000. */
  readonly everyMs?: number | undefined
  /** First pause after a failure. Default 1000. */
  readonly firstPauseMs?: number | undefined
  readonly leaseSeconds?: number | undefined
  /** As of lanes. */
  readonly watchMs?: number | undefined
}

export interface Puller {
  /** Something is to be fetched from these librarians: look now. */
  wake(peers: readonly string[]): void
  /** Until the signal; resolves when nothing is under way any more. */
  work(signal: AbortSignal): Promise<void>
}

export function createPuller(options: PullerOptions): Puller {
  const { catalogue, connections, clock, log, holder, tuning = {} } = options
  const { everyMs = 10_000, firstPauseMs, leaseSeconds, watchMs } = tuning
  const lanes = new Map<string, Promise<void>>()
  const pauses = new PeerPauses({ clock, firstMs: firstPauseMs })
  /** Who is there, but could not give everything, or we could not take it. */
  const rests = new PeerPauses({ clock, firstMs: firstPauseMs, longestMs: 60_000 })
  const tries = createTries()
  let nudge = new AbortController()
  let wakes = 0

  async function look(signal: AbortSignal): Promise<void> {
    for (const peer of await catalogue.receiving.pullPeers()) {
      if (lanes.has(peer) || pauses.isPaused(peer) || rests.isPaused(peer)) continue
      const before = wakes
      const lane = pullFrom(peer, signal).finally(() => {
        lanes.delete(peer)
        // What was asked for while it ended would wait for the next look.
        if (wakes !== before) nudge.abort()
      })
      lanes.set(peer, lane)
    }
  }

  async function pullFrom(name: string, signal: AbortSignal): Promise<void> {
    try {
      await using held = await holdLease(`pull:${name}`, { catalogue, clock, holder, seconds: leaseSeconds })
      if (!held) return
      const peer = await connections.to(name)
      const left = await runPullLane({
        ...options,
        peer,
        tries,
        watchMs,
        signal: AbortSignal.any([signal, held.lost]),
        // A link that comes and goes is no librarian that is gone: the pauses begin anew.
        onHeard: () => pauses.answered(name),
      })
      await catalogue.peers.touch({ name, seen: true })
      pauses.answered(name)
      // What has to wait is not to be looked at all the time.
      if (left > 0) rests.failed(name)
      else rests.answered(name)
    } catch (error) {
      if (signal.aborted) return
      const cause = error instanceof PeerDown ? error.cause : error
      pauses.failed(name, error instanceof PeerDown ? error.retryAfterSeconds : undefined)
      const ms = Math.round(pauses.leftMs(name))
      log.warn({ err: cause, peer: name, ms }, 'Nothing can be fetched from a librarian now; it is tried again')
    }
  }

  return {
    wake(peers) {
      for (const peer of peers) {
        rests.answered(peer)
        // It has just called: that it could not be reached was before.
        pauses.hasten(peer)
      }
      wakes++
      if (!nudge.signal.aborted) nudge.abort()
    },
    async work(signal) {
      while (!signal.aborted) {
        nudge = new AbortController()
        await look(signal).catch(error => {
          log.warn({ err: error }, 'What is to be fetched could not be looked for; the next try is soon')
        })
        const ms = Math.min(everyMs, pauses.shortestMs() ?? everyMs, rests.shortestMs() ?? everyMs)
        await clock.sleep(Math.max(ms, 1), AbortSignal.any([signal, nudge.signal])).catch(() => {})
      }
      await Promise.all(lanes.values())
    },
  }
}

/**
 * This process among those that share a catalogue: the holder that intents name, kept alive by a lease. Another process may
 * take its work over when it is known to be dead, or when its lease has ended (reliability E2, 8.13).
 */
import { type Clock, formatOwner, lifeOf, newOwner, parseOwner } from '@arriero/transfer'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Log } from '../log.ts'

/** A process that did not renew for so long is taken for dead. */
const PRESENCE_SECONDS = 30

export interface Presence extends AsyncDisposable {
  readonly holder: string
  /** Takes the lease; to be awaited before this process holds anything. */
  start(): Promise<void>
  /** Those whose work may be taken over. */
  gone(holders: readonly string[]): Promise<ReadonlySet<string>>
  /** Whether it has ended for certain: a process of this machine that runs no more. */
  isDead(holder: string): boolean
  close(): Promise<void>
}

export interface PresenceOptions {
  readonly catalogue: Pick<Catalogue, 'leases'>
  readonly clock: Clock
  readonly log: Log
  /** Default: this process, with a new token. */
  readonly holder?: string
}

export function createPresence({ catalogue, clock, log, ...options }: PresenceOptions): Presence {
  const holder = options.holder ?? formatOwner(newOwner())
  const stop = new AbortController()
  const lease = { resource: resourceOf(holder), holder, seconds: PRESENCE_SECONDS }
  let renewing: Promise<void> | undefined

  async function start(): Promise<void> {
    await catalogue.leases.acquire(lease)
    renewing ??= renewForEver()
  }

  async function renewForEver(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await clock.sleep((PRESENCE_SECONDS * 1000) / 3, stop.signal)
        await catalogue.leases.acquire(lease)
      } catch (error) {
        if (stop.signal.aborted) return
        log.warn({ error }, 'the lease of this process could not be renewed')
      }
    }
  }

  async function gone(holders: readonly string[]): Promise<ReadonlySet<string>> {
    const lives = new Map(holders.map(other => [other, other === holder ? 'alive' : lifeIn(other)]))
    const unknown = holders.filter(other => lives.get(other) === 'unknown')
    const live = new Set(await catalogue.leases.live({ resources: unknown.map(resourceOf) }))
    return new Set(
      holders.filter(
        other => lives.get(other) === 'dead' || (lives.get(other) === 'unknown' && !live.has(resourceOf(other))),
      ),
    )
  }

  async function close(): Promise<void> {
    if (stop.signal.aborted) return
    stop.abort(new Error('the server stops'))
    if (!renewing) return
    await renewing
    await catalogue.leases.remove(lease)
  }

  const isDead = (other: string) => other !== holder && lifeIn(other) === 'dead'
  return { holder, start, gone, isDead, close, [Symbol.asyncDispose]: close }
}

function resourceOf(holder: string): string {
  return `process:${holder}`
}

function lifeIn(holder: string): 'alive' | 'dead' | 'unknown' {
  const owner = parseOwner(holder)
  return owner ? lifeOf(owner) : 'unknown'
}

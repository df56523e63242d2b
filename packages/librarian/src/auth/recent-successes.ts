/**
 * Which credentials were right a moment ago, so that a caller with a thousand requests pays for one Argon2. Keys are
 * keyed hashes: the memory of this process holds no password. A changed account has a higher version, and ends it on every
 * process at once (librarian 5.3).
 */
import { hash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Credentials } from './basic.ts'

export interface RecentSuccesses {
  keyOf(credentials: Credentials): string
  has(key: string, version: number): boolean
  add(key: string, version: number): void
}

export interface RecentSuccessesOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly random: (bytes: number) => Buffer
  /** Default five minutes. */
  readonly keepMs?: number
  /** Default 1,000. */
  readonly remembered?: number
}

export function createRecentSuccesses(options: RecentSuccessesOptions): RecentSuccesses {
  const { clock, random, keepMs = 300_000, remembered = 1000 } = options
  const secret = random(32).toString('hex')
  const known = new Map<string, { readonly version: number; readonly until: number }>()
  return {
    // The secret stands first and has one length, so this is as good as an HMAC for what never leaves; it costs a fifth.
    keyOf: ({ username, password }) => hash('sha256', secret + JSON.stringify([username, password]), 'base64'),
    has(key, version) {
      const entry = known.get(key)
      if (entry === undefined) return false
      if (entry.version === version && clock.now() < entry.until) return true
      known.delete(key)
      return false
    },
    add(key, version) {
      known.delete(key)
      known.set(key, { version, until: clock.now() + keepMs })
      if (known.size > remembered) known.delete(known.keys().next().value!)
    },
  }
}

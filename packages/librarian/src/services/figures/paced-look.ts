/**
 * A look that costs something, for those who ask every few seconds: taken again only when the last one is old enough for its
 * price, and never waited for long. So watching costs a small share of the time, however much there is to look at.
 */
import type { Clock } from '../../clock.ts'

export interface PacedLookOptions {
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** What was seen counts for so long at least, ms. Default 5,000. */
  readonly leastMs?: number | undefined
  /** Of the time that looking may take. Default 0.05: a look of a second is taken every twenty. */
  readonly share?: number | undefined
  /** Who asks gets what was seen last where looking takes longer, ms. Default 2,000. */
  readonly patienceMs?: number | undefined
}

export interface Seen<T> {
  readonly value: T
  /** How long ago the look began that saw it. */
  readonly ageMs: number
}

/** Resolves to undefined where nothing was seen yet, or where the last look failed; never rejects. */
export type PacedLook<T> = () => Promise<Seen<T> | undefined>

export function createPacedLook<T>(look: () => Promise<T>, options: PacedLookOptions): PacedLook<T> {
  const { clock, leastMs = 5000, share = 0.05, patienceMs = 2000 } = options
  let last: { readonly value: T; readonly at: number } | undefined
  let dueAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | undefined

  async function lookNow(): Promise<void> {
    const at = clock.now()
    try {
      last = { value: await look(), at }
    } catch {
      last = undefined
    }
    dueAt = Math.max(at + leastMs, at + (clock.now() - at) / share)
    looking = undefined
  }

  return async () => {
    if (clock.now() >= dueAt) looking ??= lookNow()
    if (looking) await atMost(looking, patienceMs, clock)
    return last && { value: last.value, ageMs: clock.now() - last.at }
  }
}

async function atMost(work: Promise<void>, ms: number, clock: PacedLookOptions['clock']): Promise<void> {
  const over = new AbortController()
  const ended = work.finally(() => over.abort())
  await Promise.race([ended, clock.sleep(ms, over.signal).catch(() => undefined)])
}

/** What librarians lack that nobody has begun to send yet: as long as one does not answer, nothing else tells how much waits for it. */
import { type Instant, millisecondsOf } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { FileCursor } from '../../catalogue/operations/files.ts'
import type { Clock } from '../../clock.ts'
import type { Settings } from '../../config.ts'
import { createPacedLook, type PacedLook } from '../figures/paced-look.ts'

export interface Waiting {
  readonly destination: string
  readonly files: number
  readonly bytes: number
  /** When the first of them came; null: there are none. */
  readonly oldest: Instant | null
  /** How long ago that was; 0: there are none. */
  readonly oldestSeconds: number
}

export interface WaitingOptions {
  readonly catalogue: Pick<Catalogue, 'sending' | 'traffic'>
  readonly settings: Pick<Settings, 'background'>
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** What was counted counts for so long at least, ms. Default 10,000. */
  readonly leastMs?: number | undefined
}

/** Files of one question: other readers have their turn in between. */
const PAGE = 20_000
/** Whoever opens a page must not wait for a count over millions. */
const PATIENCE_MS = 200
const SHARE = 0.02

/** For each librarian that a task sends to; counted as often as its price allows. */
export function createWaiting(options: WaitingOptions): PacedLook<readonly Waiting[]> {
  const { catalogue, settings, clock, leastMs = 10_000 } = options
  const ages = new Map<string, number>()
  for (const { destination_librarian: destination, age_in_days: age } of settings.background.send_clone) {
    ages.set(destination, Math.max(age, ages.get(destination) ?? 0))
  }

  async function count(destination: string, ageInDays: number): Promise<Waiting> {
    let [files, bytes] = [0, 0]
    let oldest: Instant | null = null
    let after: FileCursor | undefined
    do {
      const page = await catalogue.sending.waiting({ destination, ageInDays, after, limit: PAGE })
      files += page.files
      bytes += page.bytes
      oldest ??= page.oldest
      after = page.next
    } while (after)
    const now = await catalogue.traffic.now()
    const oldestSeconds = oldest ? Math.max(0, millisecondsOf(now) - millisecondsOf(oldest)) / 1000 : 0
    return { destination, files, bytes, oldest, oldestSeconds }
  }

  const countAll = async () => {
    const all: Waiting[] = []
    for (const [destination, ageInDays] of ages) all.push(await count(destination, ageInDays))
    return all
  }
  return createPacedLook(countAll, { clock, leastMs, patienceMs: PATIENCE_MS, share: SHARE })
}

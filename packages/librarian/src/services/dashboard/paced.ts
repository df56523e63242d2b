/** One computation for all who ask: the last result is kept for a while, longer where it costs much. */
import type { Clock } from '../../clock.ts'

export interface PacedOptions {
  readonly clock: Pick<Clock, 'now'>
  /** Least from the end of one computation to the beginning of the next. */
  readonly everyMs: number
  /** And so many times as long as the last one took: so that it takes no more than this part of the time. Default 20. */
  readonly share?: number
  /** For so long after that, whoever asks gets the last result at once, and the next is computed behind it. Default 0. */
  readonly lateMs?: number
}

/** Whoever asks while it is computed gets what comes of that. A failure is kept for nobody. */
export function createPaced<T>(compute: () => Promise<T>, options: PacedOptions) {
  const { clock, everyMs, share = 20, lateMs = 0 } = options
  let kept: { readonly value: T; readonly until: number } | undefined
  let running: Promise<T> | undefined

  async function run(): Promise<T> {
    const began = clock.now()
    const value = await compute()
    const ended = clock.now()
    kept = { value, until: ended + Math.max(everyMs, share * (ended - began)) }
    return value
  }

  return async (): Promise<T> => {
    if (kept && clock.now() < kept.until) return kept.value
    running ??= run().finally(() => {
      running = undefined
    })
    if (!kept || clock.now() >= kept.until + lateMs) return running
    // Whoever asks later hears of a failure.
    running.catch(() => {})
    return kept.value
  }
}

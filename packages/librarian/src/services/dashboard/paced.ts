/** One computation for all who ask: the last result is kept for a while, longer where it costs much. */
import type { Clock } from '../../clock.ts'

export interface PacedOptions {
  readonly clock: Pick<Clock, 'now'>
  /** Least from the end of one computation to the beginning of the next. */
  readonly everyMs: number
  /** And so many times as long as the last one took: so that it takes no more than this part of the time. Default 20. */
  readonly share?: number
}

/** Whoever asks while it is computed gets what comes of that. A failure is kept for nobody. */
export function createPaced<T>(compute: () => Promise<T>, { clock, everyMs, share = 20 }: PacedOptions) {
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
    return running
  }
}

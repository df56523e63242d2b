/** Bytes per second, for all who share it: whoever has taken many makes the next one wait. */
import type { Clock } from '../../clock.ts'

export interface Pace {
  /** Resolves when so many bytes may be read. */
  take(bytes: number, signal: AbortSignal): Promise<void>
}

/** @param bytesPerSecond undefined: nobody waits */
export function createPace(bytesPerSecond: number | undefined, clock: Pick<Clock, 'now' | 'sleep'>): Pace {
  let freeAt = clock.now()
  return {
    async take(bytes, signal) {
      if (bytesPerSecond === undefined) return
      const begin = Math.max(freeAt, clock.now())
      freeAt = begin + (bytes / bytesPerSecond) * 1000
      const waitMs = begin - clock.now()
      if (waitMs > 0) await clock.sleep(waitMs, signal)
    },
  }
}

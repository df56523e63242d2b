import type { Progress } from './progress.ts'

/** What callers hold: shares limits, memory, connections and threads between calls. */
export interface Engine extends AsyncDisposable {
  readonly progress: Progress
  /** Changes the cap on everything together while transfers run, bytes per second; undefined: none. */
  limitRate(bytesPerSecond: number | undefined): void
  /**
   * For who knows that the way to a server was interrupted and is there again: requests to which nothing came for so long are
   * given up, and what they lack is asked for at once on other connections. TCP would be silent for up to as long again. Nothing
   * that came is fetched twice, and it counts as no retry of a part.
   */
  redial(silentMs: number): void
  /** Waits for what is being published, then frees connections, threads and memory. May be called twice. */
  close(): Promise<void>
}

import type { Progress } from './progress.ts'

/** What callers hold: shares limits, memory, connections and threads between calls. */
export interface Engine extends AsyncDisposable {
  readonly progress: Progress
  /** Changes the cap on everything together while transfers run, bytes per second; undefined: none. */
  limitRate(bytesPerSecond: number | undefined): void
  /** Waits for what is being published, then frees connections, threads and memory. May be called twice. */
  close(): Promise<void>
}

/**
 * Gathers what arrives at the same time into batches, so that a barrier is paid once for many.
 *
 * What arrives alone starts at once; what arrives while batches run waits for the next, at most as long as the running ones
 * take. Nothing waits for company.
 */
import { outsideOfCalls } from '../../log/call-context.ts'

export interface LaneOptions<T> {
  /** Batches at once. */
  readonly concurrency: number
  /** Items of a batch, at most. */
  readonly maxCount: number
  /** Bytes of a batch, at most; a larger item is a batch of its own. */
  readonly maxBytes: number
  sizeOf(item: T): number
  /** Must not reject. */
  run(batch: readonly T[]): Promise<void>
}

export interface Lane<T> {
  add(item: T): void
  /** Resolves when all that was added has run. */
  drained(): Promise<void>
}

export function createLane<T>({ concurrency, maxCount, maxBytes, sizeOf, run }: LaneOptions<T>): Lane<T> {
  const waiting: T[] = []
  const running = new Set<Promise<void>>()
  let isKicked = false

  function takeBatch(): T[] {
    let bytes = 0
    let count = 0
    while (count < waiting.length && count < maxCount) {
      bytes += sizeOf(waiting[count]!)
      if (count > 0 && bytes > maxBytes) break
      count += 1
    }
    return waiting.splice(0, count)
  }

  function start(): void {
    isKicked = false
    while (waiting.length > 0 && running.size < concurrency) {
      const batch = run(takeBatch()).finally(() => {
        running.delete(batch)
        start()
      })
      running.add(batch)
    }
  }

  return {
    add(item) {
      waiting.push(item)
      if (isKicked) return
      isKicked = true
      // After this turn of the loop: what was asked for together is one batch, and belongs to none of the calls.
      setImmediate(() => outsideOfCalls(start))
    },
    async drained() {
      while (waiting.length > 0 || running.size > 0) {
        await (running.size > 0 ? Promise.all(running) : new Promise(setImmediate))
      }
    },
  }
}

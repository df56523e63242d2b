import type { ItemInFlight } from './item.ts'
import type { ItemMemory } from './stage.ts'

interface Waiter {
  readonly item: ItemInFlight
  readonly bytes: number
  go(): void
}

/**
 * The bytes that all items under way hold. Who has no room waits, but the foremost item never does: where order is asked
 * for, all others may be waiting for it (retrieval 6, the progress guarantee).
 */
export class Memory implements ItemMemory {
  readonly #limit: number
  readonly #isForemost: (item: ItemInFlight) => boolean
  readonly #onChange: (held: number) => void
  readonly #waiters: Waiter[] = []
  #held = 0
  #largest = 0

  constructor(limit: number, isForemost: (item: ItemInFlight) => boolean, onChange: (held: number) => void) {
    this.#limit = limit
    this.#isForemost = isForemost
    this.#onChange = onChange
  }

  reserve(item: ItemInFlight, bytes: number = this.#largest): Promise<void> {
    if (this.#fits(item, bytes)) {
      this.#set(item, bytes)
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const { signal } = item
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        item,
        bytes,
        go: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      if (signal.aborted) return reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
    })
  }

  settle(item: ItemInFlight, bytes: number): void {
    this.#largest = Math.max(this.#largest, bytes)
    this.#set(item, bytes)
  }

  /** The item holds this much from now on. */
  hold(item: ItemInFlight, bytes: number): void {
    if (bytes !== item.held) this.#set(item, bytes)
  }

  /** What an item gave up is for those that wait. */
  #set(item: ItemInFlight, bytes: number): void {
    const freed = item.held - bytes
    this.#held -= freed
    item.held = bytes
    this.#onChange(this.#held)
    if (freed > 0) this.serve()
  }

  /** Also when another item became the foremost. */
  serve(): void {
    for (let at = 0; at < this.#waiters.length; ) {
      const waiter = this.#waiters[at] as Waiter
      if (!this.#fits(waiter.item, waiter.bytes)) at++
      else {
        this.#waiters.splice(at, 1)
        this.#set(waiter.item, waiter.bytes)
        waiter.go()
      }
    }
  }

  #fits(item: ItemInFlight, bytes: number): boolean {
    return this.#held + bytes - item.held <= this.#limit || this.#held === item.held || this.#isForemost(item)
  }
}

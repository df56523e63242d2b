import type { ItemInFlight } from './item.ts'
import type { ItemMemory } from './stage.ts'

export interface MemoryOptions {
  /** Bytes. */
  readonly limit: number
  /** No item under way came before it in the list, and the consumer has taken all that it could. */
  isForemost(item: ItemInFlight): boolean
  onChange(held: number): void
  /** There may be room where there was none. */
  onRoom(): void
}

/**
 * The bytes that all items under way hold, and results that nobody has taken. Who has no room is not begun, but the foremost
 * item always is: where order is asked for, all others may be waiting for it (retrieval 6, the progress guarantee).
 */
export class Memory implements ItemMemory {
  readonly #o: MemoryOptions
  readonly #guesses = new Set<ItemInFlight>()
  #held = 0
  #largest: number | undefined

  constructor(options: MemoryOptions) {
    this.#o = options
  }

  /**
   * Takes room for what the item is about to hold; false: there is none now. Of unknown size, the largest so far is taken for
   * it; before the first is known it gets all there is, so that the first ones are not too many.
   */
  admit(item: ItemInFlight, bytes: number | undefined): boolean {
    const wanted = Math.max(item.held, bytes ?? this.#largest ?? this.#o.limit)
    const isAlone = this.#held === item.held
    if (this.#held + wanted - item.held > this.#o.limit && !isAlone && !this.#o.isForemost(item)) return false
    if (bytes === undefined && this.#largest === undefined) this.#guesses.add(item)
    this.#set(item, wanted)
    return true
  }

  settle(item: ItemInFlight, bytes: number): void {
    // What was no longer waited for may still come.
    if (item.isOver) return
    this.#largest = Math.max(this.#largest ?? 0, bytes)
    this.#guesses.delete(item)
    this.#set(item, bytes)
  }

  /** The item holds this much from now on. */
  hold(item: ItemInFlight, bytes: number): void {
    // Nothing was learned from it, and the next ones must not go one by one for ever.
    if (this.#guesses.delete(item)) this.#largest ??= 0
    if (bytes !== item.held) this.#set(item, bytes)
  }

  /** What the item held is now held by its result. */
  handOver(item: ItemInFlight): number {
    const { held } = item
    item.held = 0
    return held
  }

  /** A result was taken. */
  give(bytes: number): void {
    this.#held -= bytes
    this.#o.onChange(this.#held)
    this.#o.onRoom()
  }

  #set(item: ItemInFlight, bytes: number): void {
    const freed = item.held - bytes
    this.#held -= freed
    item.held = bytes
    this.#o.onChange(this.#held)
    if (freed > 0) this.#o.onRoom()
  }
}

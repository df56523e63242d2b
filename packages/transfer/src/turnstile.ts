/** Lets items through in the order of the list, however they arrive. Those that will never come must be said. */
export class Turnstile<T> {
  readonly #early = new Map<number, T | undefined>()
  #next = 0

  /** The index that all later ones wait for. */
  get due(): number {
    return this.#next
  }

  /** Items that wait for an earlier one. */
  get waiting(): number {
    return this.#early.size
  }

  /** @returns what may go on now, in order */
  arrive(index: number, item: T): T[] {
    this.#early.set(index, item)
    return this.#released()
  }

  /** This one will not come. */
  pass(index: number): T[] {
    this.#early.set(index, undefined)
    return this.#released()
  }

  /** All that still wait, in order: nobody waits for the missing ones any more. */
  rest(): T[] {
    const rest = [...this.#early].sort(([a], [b]) => a - b).flatMap(([, item]) => (item === undefined ? [] : [item]))
    this.#early.clear()
    return rest
  }

  #released(): T[] {
    const released: T[] = []
    while (this.#early.has(this.#next)) {
      const item = this.#early.get(this.#next)
      this.#early.delete(this.#next++)
      if (item !== undefined) released.push(item)
    }
    return released
  }
}

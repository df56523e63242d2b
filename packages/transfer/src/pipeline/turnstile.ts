/** Lets items through in the order of the list, however they arrive. Those that will never come must be said. */
export class Turnstile<T> {
  readonly #early = new Map<number, T | undefined>()
  #next = 0

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

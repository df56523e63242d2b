/** First in, first out; an array's own `shift` moves everything. */
export class Queue<T> {
  #items: (T | undefined)[] = []
  #first = 0

  get length(): number {
    return this.#items.length - this.#first
  }

  get first(): T | undefined {
    return this.#items[this.#first]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#first]
    if (item === undefined) return undefined
    this.#items[this.#first++] = undefined
    if (this.#first === this.#items.length) {
      this.#items = []
      this.#first = 0
    }
    return item
  }

  /** Takes the first one that is wanted, wherever it stands. */
  take(isWanted: (item: T) => boolean): T | undefined {
    const at = this.#items.findIndex(item => item !== undefined && isWanted(item))
    return at === -1 ? undefined : this.#items.splice(at, 1)[0]
  }
}

/** Anything that covers `length` bytes from `offset`. */
export interface Run {
  readonly offset: number
  readonly length: number
}

/**
 * Turns runs that arrive in any order into an ascending, gap-free order.
 *
 *     push(run): park it; while a parked run starts at `head`: hand it out, head += its length
 *
 * Does not bound what it parks: whoever reserves slots does (only `[head, head + window)` is ever fetched).
 */
export class Sequencer<T extends Run> {
  readonly #parked = new Map<number, T>()
  #head: number

  constructor(head = 0) {
    this.#head = head
  }

  /** Offset of the first byte not handed out yet. */
  get head(): number {
    return this.#head
  }

  /** Runs that wait for an earlier one. */
  get parked(): number {
    return this.#parked.size
  }

  /** Takes one run and returns what is due now, in order. Overlaps are a fault of the caller and throw. */
  push(run: T): T[] {
    if (run.offset < this.#head || this.#parked.has(run.offset)) {
      throw new RangeError(`Cannot sequence bytes at ${run.offset} twice: the head is ${this.#head}`)
    }
    this.#parked.set(run.offset, run)
    const due: T[] = []
    for (let next = this.#parked.get(this.#head); next; next = this.#parked.get(this.#head)) {
      this.#parked.delete(this.#head)
      this.#head += next.length
      due.push(next)
    }
    return due
  }

  /** Everything parked, for whoever has to free it. */
  drain(): T[] {
    const rest = [...this.#parked.values()]
    this.#parked.clear()
    return rest
  }
}

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
  /** Ascending, without overlaps. */
  #parked: T[] = []
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
    return this.#parked.length
  }

  /** Takes one run and returns what is due now, in order. Overlaps are a fault of the caller and throw. */
  push(run: T): T[] {
    const parked = this.#parked
    const index = this.#indexFor(run.offset)
    const before = parked[index - 1]
    const after = parked[index]
    const isFree = before ? endOf(before) <= run.offset : this.#head <= run.offset
    if (!isFree || (after && endOf(run) > after.offset)) {
      throw new RangeError(`Cannot sequence bytes at ${run.offset} twice: the head is ${this.#head}`)
    }
    parked.splice(index, 0, run)
    let count = 0
    for (let next = parked[0]; next?.offset === this.#head; next = parked[count]) {
      this.#head += next.length
      count++
    }
    return parked.splice(0, count)
  }

  /** Everything parked, for whoever has to free it. */
  drain(): T[] {
    const rest = this.#parked
    this.#parked = []
    return rest
  }

  /** Where a run that begins at `offset` belongs. */
  #indexFor(offset: number): number {
    let low = 0
    let high = this.#parked.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#parked[middle] as T).offset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function endOf({ offset, length }: Run): number {
  return offset + length
}

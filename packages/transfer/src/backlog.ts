import type { Entry } from './manifest/entry.ts'

/** Entries from this size on are worth a connection of their own from early on. */
const LARGE = 64 << 20

/**
 * Entries that were read and not begun, in the order in which they should be (retrieval 6): `size` takes small ones
 * first, but keeps one place for the largest, so that the longest job starts early. Entries of unknown size come first,
 * among themselves as listed.
 */
export class Backlog {
  readonly #order: 'size' | 'name' | 'manifest'
  readonly #entries: Entry[] = []
  #taken = 0

  constructor(order: 'size' | 'name' | 'manifest') {
    this.#order = order
  }

  get length(): number {
    return this.#entries.length - this.#taken
  }

  push(entry: Entry): void {
    const entries = this.#entries
    let low = this.#taken
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#isBefore(entry, entries[middle] as Entry)) high = middle
      else low = middle + 1
    }
    if (low === entries.length) entries.push(entry)
    else entries.splice(low, 0, entry)
  }

  /** @param hasLarge one of the largest is under way already */
  take(hasLarge: boolean): Entry | undefined {
    if (this.length === 0) return undefined
    const last = this.#entries.at(-1) as Entry
    if (this.#order === 'size' && !hasLarge && this.length > 1 && (last.size ?? 0) >= LARGE) return this.#entries.pop()
    const entry = this.#entries[this.#taken++]
    // Shifting an array by one for every entry would cost more than the entry.
    if (this.#taken >= 1024) {
      this.#entries.splice(0, this.#taken)
      this.#taken = 0
    }
    return entry
  }

  /** Takes one entry out of its turn. */
  takeOne(index: number): Entry | undefined {
    const at = this.#entries.findIndex((entry, position) => position >= this.#taken && entry.index === index)
    return at < 0 ? undefined : this.#entries.splice(at, 1)[0]
  }

  clear(): void {
    this.#entries.length = 0
    this.#taken = 0
  }

  #isBefore(a: Entry, b: Entry): boolean {
    const byPriority = (a.priority ?? 0) - (b.priority ?? 0)
    if (byPriority !== 0) return byPriority < 0
    if (this.#order === 'size' && a.size !== b.size) return (a.size ?? 0) < (b.size ?? 0)
    if (this.#order === 'name') return nameOf(a) < nameOf(b)
    return a.index < b.index
  }
}

export function isLarge({ size }: Entry): boolean {
  return (size ?? 0) >= LARGE
}

function nameOf(entry: Entry): string {
  return entry.path ?? entry.uris[0] ?? ''
}

/**
 * A map from SHA-256 digests to a few numbers, for ten million of them and more: 5 bytes an entry upwards, by what is kept,
 * without slack, outside the heap. Nothing is ever taken out.
 *
 *     seek    look among the recent ones (a hash table), then in the settled part of the digest's partition
 *     insert  into the recent ones; when these are full, settle them
 *     settle  from the end: move each partition up by as many entries as came before it, put its new ones behind it
 *
 * The settled entries lie packed, partition after partition, in pieces of a fixed size. So growing needs no second copy and
 * leaves no garbage, and the partition's number need not be kept in the entry. There are never more recent entries than
 * about a fortieth of all, so each entry is moved some eighty times on the way to ten million, in blocks.
 *
 * Among n digests, two different ones are taken for one with a probability of about n² / 2 / 2^keyBits; what that means is
 * the caller's to say.
 */

const PARTITION_BITS = 18
const PARTITIONS = 2 ** PARTITION_BITS
const PIECE_BITS = 16
const PIECE = 2 ** PIECE_BITS
const FIRST_RECENT = 16_384
/** Above it, the cells of the recent entries are doubled. */
const MOST_PER_RECENT_CELL = 48
/** Runs that are shorter are moved one by one: a call costs more. */
const SHORTEST_BLOCK = 12

/** What is kept of each entry. */
export interface EntryShape {
  /** Bits of the digest: 57 in 5 bytes, 65 in 6, 97 in 10. */
  readonly keyBits: 57 | 65 | 97
  /** Bits of numbers: a long of 32 bits, and a short of 16. */
  readonly numberBits: 0 | 32 | 48
}

/** Entries side by side. The rest of the key is the number of the partition. */
class Columns {
  /** 7 or 15 bits of the key, and above them the mark. */
  readonly ends: Uint8Array | Uint16Array
  /** One or two words of the key, and the long. */
  readonly words: Uint32Array
  readonly shorts: Uint16Array
  readonly byteLength: number

  constructor(length: number, { keyBits, numberBits }: EntryShape) {
    this.ends = keyBits === 57 ? new Uint8Array(length) : new Uint16Array(length)
    this.words = new Uint32Array(length * wordsOf(keyBits, numberBits))
    this.shorts = new Uint16Array(numberBits === 48 ? length : 0)
    this.byteLength = this.ends.byteLength + this.words.byteLength + this.shorts.byteLength
  }
}

function wordsOf(keyBits: number, numberBits: number): number {
  return (keyBits === 97 ? 2 : 1) + (numberBits > 0 ? 1 : 0)
}

export class HashIndex {
  readonly #shape: EntryShape
  readonly #keyWords: number
  readonly #width: number
  readonly #mark: number
  readonly #starts = new Uint32Array(PARTITIONS + 1)
  readonly #pieces: Columns[] = []
  #settled = 0
  readonly #recent: RecentEntries
  /** What was sought last. */
  #partition = 0
  #end = 0
  readonly #words: Uint32Array
  #found: Columns | undefined
  #foundAt = 0

  constructor(shape: EntryShape) {
    this.#shape = shape
    this.#keyWords = wordsOf(shape.keyBits, 0)
    this.#width = wordsOf(shape.keyBits, shape.numberBits)
    this.#mark = shape.keyBits === 57 ? 0x80 : 0x8000
    this.#words = new Uint32Array(this.#width)
    this.#recent = new RecentEntries(shape)
  }

  get size(): number {
    return this.#settled + this.#recent.count
  }

  /** Bytes of the tables. */
  get byteLength(): number {
    const pieces = this.#pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
    return this.#starts.byteLength + this.#recent.byteLength + pieces
  }

  /** Whether the digest, its bytes as a string of Latin-1, is there. What follows speaks of it. */
  seek(digest: string): boolean {
    this.#partition = wordAt(digest, 0) & (PARTITIONS - 1)
    this.#end = (digest.charCodeAt(4) | (digest.charCodeAt(5) << 8)) & (this.#mark - 1)
    for (let word = 0; word < this.#keyWords; word++) this.#words[word] = wordAt(digest, 8 + 4 * word)
    return this.#seekRecent() || this.#seekSettled()
  }

  /** The mark with which the found entry was inserted. */
  get mark(): boolean {
    return (this.#found!.ends[this.#foundAt]! & this.#mark) !== 0
  }

  /** The long of the found entry. */
  get long(): number {
    return this.#found!.words[this.#foundAt * this.#width + this.#keyWords]!
  }

  get short(): number {
    return this.#found!.shorts[this.#foundAt]!
  }

  /** Gives the found entry other numbers. */
  update(long: number, short = 0): void {
    this.#found!.words[this.#foundAt * this.#width + this.#keyWords] = long
    if (this.#shape.numberBits === 48) this.#found!.shorts[this.#foundAt] = short
  }

  /** Inserts what was sought last and not found. */
  insert(mark: boolean, long = 0, short = 0): void {
    if (this.#width > this.#keyWords) this.#words[this.#keyWords] = long
    this.#recent.add(this.#partition, this.#end | (mark ? this.#mark : 0), this.#words, short)
    if (this.#recent.isFull) this.#settle()
  }

  #seekRecent(): boolean {
    const at = this.#recent.firstCell(this.#words[0]!)
    for (let cell = at; this.#recent.partitionOf(cell) >= 0; cell = this.#recent.nextCell(cell)) {
      if (this.#recent.partitionOf(cell) !== this.#partition || !this.#isAt(this.#recent.columns, cell)) continue
      this.#found = this.#recent.columns
      this.#foundAt = cell
      return true
    }
    return false
  }

  #seekSettled(): boolean {
    const end = this.#starts[this.#partition + 1]!
    for (let at = this.#starts[this.#partition]!; at < end; ) {
      const piece = this.#pieces[at >>> PIECE_BITS]!
      const first = at & (PIECE - 1)
      const count = Math.min(end - at, PIECE - first)
      const found = this.#findIn(piece, first, first + count)
      if (found >= 0) {
        this.#found = piece
        this.#foundAt = found
        return true
      }
      at += count
    }
    return false
  }

  #findIn(piece: Columns, from: number, to: number): number {
    const { ends } = piece
    const bits = this.#mark - 1
    for (let at = from; at < to; at++) if ((ends[at]! & bits) === this.#end && this.#isAt(piece, at)) return at
    return -1
  }

  #isAt({ ends, words }: Columns, at: number): boolean {
    if ((ends[at]! & (this.#mark - 1)) !== this.#end) return false
    const first = at * this.#width
    return words[first] === this.#words[0] && (this.#keyWords === 1 || words[first + 1] === this.#words[1])
  }

  #settle(): void {
    const { ends, order } = this.#recent.byPartition()
    const starts = this.#starts
    const total = this.#settled + this.#recent.count
    while (this.#pieces.length * PIECE < total) this.#pieces.push(new Columns(PIECE, this.#shape))
    let oldEnd = this.#settled
    let next = this.#recent.count
    for (let partition = PARTITIONS - 1; next > 0; partition--) {
      const oldStart = starts[partition]!
      const end = oldEnd + next
      // Entries that came in earlier partitions: by so many this one moves up.
      const before = partition === 0 ? 0 : ends[partition - 1]!
      for (let to = end - 1; next > before; to--) this.#put(to, order[--next]!)
      if (before > 0) this.#moveUp(oldStart, oldEnd, before)
      starts[partition + 1] = end
      oldEnd = oldStart
    }
    this.#settled = total
    this.#recent.clear(total)
  }

  #put(to: number, cell: number): void {
    copyEntry(this.#recent.columns, cell, this.#pieces[to >>> PIECE_BITS]!, to & (PIECE - 1), this.#width)
  }

  #moveUp(from: number, to: number, by: number): void {
    const piece = from >>> PIECE_BITS
    if (to - from >= SHORTEST_BLOCK && (to + by - 1) >>> PIECE_BITS === piece) {
      const { ends, words, shorts } = this.#pieces[piece]!
      const start = from & (PIECE - 1)
      const end = start + to - from
      ends.copyWithin(start + by, start, end)
      words.copyWithin((start + by) * this.#width, start * this.#width, end * this.#width)
      if (shorts.length > 0) shorts.copyWithin(start + by, start, end)
      return
    }
    for (let at = to - 1; at >= from; at--) {
      const target = this.#pieces[(at + by) >>> PIECE_BITS]!
      copyEntry(this.#pieces[at >>> PIECE_BITS]!, at & (PIECE - 1), target, (at + by) & (PIECE - 1), this.#width)
    }
  }
}

/** The entries that came last, in open addressing. */
class RecentEntries {
  readonly #shape: EntryShape
  /** A power of two. */
  #cells = FIRST_RECENT
  /** Partition + 1; 0 where the cell is free. */
  #partitions = new Uint32Array(FIRST_RECENT)
  columns: Columns
  count = 0
  #order: Uint32Array | undefined
  #ends: Uint32Array | undefined

  constructor(shape: EntryShape) {
    this.#shape = shape
    this.columns = new Columns(FIRST_RECENT, shape)
  }

  get isFull(): boolean {
    return this.count >= this.#cells * 0.75
  }

  get byteLength(): number {
    const scratch = (this.#order?.byteLength ?? 0) + (this.#ends?.byteLength ?? 0)
    return this.#partitions.byteLength + this.columns.byteLength + scratch
  }

  firstCell(word: number): number {
    return word & (this.#cells - 1)
  }

  nextCell(cell: number): number {
    return (cell + 1) & (this.#cells - 1)
  }

  /** -1 where the cell is free. */
  partitionOf(cell: number): number {
    return this.#partitions[cell]! - 1
  }

  add(partition: number, end: number, words: Uint32Array, short: number): void {
    let cell = this.firstCell(words[0]!)
    while (this.#partitions[cell] !== 0) cell = this.nextCell(cell)
    this.#partitions[cell] = partition + 1
    this.columns.ends[cell] = end
    this.columns.words.set(words, cell * words.length)
    if (this.columns.shorts.length > 0) this.columns.shorts[cell] = short
    this.count++
  }

  /** The taken cells by partition, and where each partition ends among them. */
  byPartition(): { readonly ends: Uint32Array; readonly order: Uint32Array } {
    const ends = (this.#ends ??= new Uint32Array(PARTITIONS)).fill(0)
    for (const partition of this.#partitions) if (partition !== 0) ends[partition - 1]!++
    for (let partition = 1; partition < PARTITIONS; partition++) ends[partition]! += ends[partition - 1]!
    // Each takes the place before the end; so the ends become the beginnings, and are put right again.
    const order = (this.#order ??= new Uint32Array(this.#cells * 0.75))
    for (let cell = 0; cell < this.#cells; cell++) {
      const partition = this.#partitions[cell]!
      if (partition !== 0) order[--ends[partition - 1]!] = cell
    }
    ends.copyWithin(0, 1)
    ends[PARTITIONS - 1] = this.count
    return { ends, order }
  }

  /** Forgets them; there may be more of them the next time, the more are settled. */
  clear(settled: number): void {
    this.count = 0
    if (settled <= this.#cells * MOST_PER_RECENT_CELL) {
      this.#partitions.fill(0)
      return
    }
    this.#cells *= 2
    this.#partitions = new Uint32Array(this.#cells)
    this.columns = new Columns(this.#cells, this.#shape)
    this.#order = undefined
  }
}

function copyEntry(source: Columns, from: number, target: Columns, to: number, width: number): void {
  target.ends[to] = source.ends[from]!
  for (let word = 0; word < width; word++) target.words[to * width + word] = source.words[from * width + word]!
  if (target.shorts.length > 0) target.shorts[to] = source.shorts[from]!
}

function wordAt(bytes: string, at: number): number {
  const high = (bytes.charCodeAt(at + 2) << 16) | (bytes.charCodeAt(at + 3) << 24)
  return (bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8) | high) >>> 0
}

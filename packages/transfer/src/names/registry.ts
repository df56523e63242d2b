/**
 * Remembers the target of every entry of a run, so that two entries never write to one file (retrieval 13.3, 16), also
 * where the filesystem folds case or Unicode forms, and that no name is both a file and a directory.
 *
 * Names are not kept, only 128 bits of the SHA-256 of the folded name, in open-addressing tables over typed arrays: 20 bytes
 * a cell. There are many small tables, which grow one by one and by little, so that growing never takes twice the memory:
 * a million names in one directory take less than 30 MB, outside the heap.
 *
 * Two different names with the same 128 bits would be refused wrongly. Among 10⁷ names that happens with a probability of
 * about 10⁻²⁵, which is less likely than a memory error, and making it happen on purpose takes 2⁶⁴ hashes. That is why there
 * is no second look at the names. Fewer bits would not do: with 64, ten million names collide once in 400,000 runs,
 * and a manifest could be made to.
 */

import { hash } from 'node:crypto'

/** Why a path cannot be taken. */
export interface NameConflict {
  /** `same`: another entry has this target, perhaps in other case or Unicode form. The others: file versus directory. */
  readonly kind: 'same' | 'parent-is-file' | 'is-directory'
  /** Index of the entry that came first. */
  readonly index: number
  /** As the end of a sentence. */
  readonly problem: string
}

const WORDS = 5
const DIRECTORY = 0x8000_0000
const MAX_INDEX = 0x7fff_fffe
const TABLES = 64
const INITIAL_CELLS = 16
/** A table is at most so full: then a free cell ends every search after some 20 steps, which cost less than the hash. */
const MOST_FULL = 0.85
const GROWTH = 1.25

/**
 * @example
 * ```ts
 * const names = new NameRegistry()
 * names.claim('a/b', 0) // undefined: it is yours
 * names.claim('A/B', 1) // { kind: 'same', index: 0, … }
 * names.claim('a', 2) // { kind: 'is-directory', index: 0, … }
 * ```
 */
export class NameRegistry {
  readonly #tables = Array.from({ length: TABLES }, () => new NameTable())
  // Manifests are mostly sorted by directory; its parents need not be looked up again for each of its files.
  #lastParent: string | undefined

  /** Names held, files and directories together. */
  get size(): number {
    return this.#tables.reduce((sum, { used }) => sum + used, 0)
  }

  /** Bytes of the tables. */
  get byteLength(): number {
    return this.#tables.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** Takes a `/`-separated relative path for the entry `index` (0 to 2³¹ − 2), or says which entry is in its way. */
  claim(path: string, index: number): NameConflict | undefined {
    if (!Number.isInteger(index) || index < 0 || index > MAX_INDEX) {
      throw new RangeError(`Cannot claim a name: the index must be from 0 to ${MAX_INDEX}, got ${index}`)
    }
    const folded = foldName(path)
    return this.#claimParents(folded, index) ?? this.#claimFile(folded, index)
  }

  #claimParents(path: string, index: number): NameConflict | undefined {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (parent === '' || parent === this.#lastParent) return undefined
    for (let end = parent.indexOf('/'); ; end = parent.indexOf('/', end + 1)) {
      const owner = this.#ownerOrTake(end < 0 ? parent : parent.slice(0, end), index + 1 + DIRECTORY)
      if (owner !== 0 && owner < DIRECTORY) {
        const problem = `entry ${owner} uses one of its parent directories as a file`
        return { kind: 'parent-is-file', index: owner - 1, problem }
      }
      if (end < 0) break
    }
    this.#lastParent = parent
    return undefined
  }

  #claimFile(path: string, index: number): NameConflict | undefined {
    const owner = this.#ownerOrTake(path, index + 1)
    if (owner === 0) return undefined
    if (owner >= DIRECTORY) {
      const number = owner - DIRECTORY
      return { kind: 'is-directory', index: number - 1, problem: `entry ${number} uses the same name as a directory` }
    }
    const problem = `entry ${owner} has the same target (names that differ only in case or Unicode form count as one)`
    return { kind: 'same', index: owner - 1, problem }
  }

  /** The owner word of the name, or 0 after the name was given to `owner`. */
  #ownerOrTake(name: string, owner: number): number {
    // As a string of bytes: making a Buffer for each digest takes four times as long.
    const digest = hash('sha256', name, 'binary')
    const key = [wordAt(digest, 0), wordAt(digest, 4), wordAt(digest, 8), wordAt(digest, 12)] as const
    const table = this.#tables[digest.charCodeAt(16) % TABLES] as NameTable
    return table.ownerOrTake(key, owner)
  }
}

type Key = readonly [number, number, number, number]

/** A cell is four words of hash and one of owner: 0 is free, else index + 1, with the highest bit for directories. */
class NameTable {
  #cells = new Uint32Array(INITIAL_CELLS * WORDS)
  used = 0

  get byteLength(): number {
    return this.#cells.byteLength
  }

  ownerOrTake(key: Key, owner: number): number {
    if (this.used >= this.#count * MOST_FULL) this.#grow()
    const [a, b, c, d] = key
    const cells = this.#cells
    const count = this.#count
    for (let cell = a % count; ; cell = cell + 1 === count ? 0 : cell + 1) {
      const at = cell * WORDS
      const present = cells[at + 4]!
      if (present === 0) {
        cells.set(key, at)
        cells[at + 4] = owner
        this.used++
        return 0
      }
      if (cells[at] === a && cells[at + 1] === b && cells[at + 2] === c && cells[at + 3] === d) return present
    }
  }

  get #count(): number {
    return this.#cells.length / WORDS
  }

  #grow(): void {
    const old = this.#cells
    this.#cells = new Uint32Array(Math.ceil(this.#count * GROWTH) * WORDS)
    const count = this.#count
    for (let from = 0; from < old.length; from += WORDS) {
      if (old[from + 4] === 0) continue
      let cell = old[from]! % count
      while (this.#cells[cell * WORDS + 4] !== 0) cell = cell + 1 === count ? 0 : cell + 1
      this.#cells.set(old.subarray(from, from + WORDS), cell * WORDS)
    }
  }
}

function wordAt(bytes: string, at: number): number {
  const high = (bytes.charCodeAt(at + 2) << 16) | (bytes.charCodeAt(at + 3) << 24)
  return (bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8) | high) >>> 0
}

/**
 * The form under which two names may be one file on some filesystem: full case folding (upper, then lower: `ß` and `SS`
 * meet, as do the sigmas) over canonical decomposition. Stricter than most filesystems, because data sets travel.
 */
export function foldName(name: string): string {
  if (isAscii(name)) return name.toLowerCase()
  return name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC')
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}

/**
 * Which objects and which contents a list named before, in bounded memory (gen3 4.3).
 *
 * Of an object 65 bits of the SHA-256 of its address are kept, of its index 26, of its size and digest 11 each: 12 bytes.
 *
 * Two different objects are taken for one with a probability of about 10⁻⁶ in a list of ten million, and 10⁻⁸ in one of a
 * million. Then, where sizes or digests are known, they differ, so that the row fails in sight; where none are known, it is
 * reported as a duplicate of the other one. Making it happen on purpose, against an object that somebody else named, takes more
 * than 2⁴⁰ hashes for any and 2⁶⁵ for a certain one of ten million objects.
 * A conflict is missed once in 2,000 when only size or digest differ, and once in 4,000,000 when both do, as in
 * another version; what is fetched is held to the first row's size and digest then as ever.
 *
 * Contents are for the report only. They are watched up to a million of them, 10 bytes each; then no more.
 */
import { hash } from 'node:crypto'
import type { Algorithm } from '../integrity/checksum.ts'
import type { Entry } from '../manifest/entry.ts'
import { HashIndex } from './hash-index.ts'

const INDEX_BITS = 26
/** Stands for every index that does not fit. */
const LAST_INDEX = 2 ** INDEX_BITS - 1
const MOST_CONTENTS = 1_000_000
/** A prime below 2¹¹, so that sizes that differ by round numbers differ here too. */
const SIZE_CLASSES = 2039
/** Digests of several algorithms cannot be compared: each has its own classes, from 1 on. */
const digestClasses: readonly { algorithm: Algorithm; first: number; count: number }[] = [
  { algorithm: 'md5', first: 1, count: 1535 },
  { algorithm: 'sha256', first: 1536, count: 511 },
]

/** What the list said before of this object. */
export interface KnownObject {
  /** Of the row that named it first; undefined for rows behind the 67 millionth. */
  readonly index: number | undefined
  /** The two rows say different sizes or digests. */
  readonly isConflict: boolean
}

export class KnownObjects {
  readonly #objects = new HashIndex({ keyBits: 65, numberBits: 48 })
  #contents: HashIndex | undefined = new HashIndex({ keyBits: 65, numberBits: 32 })

  /** Whether every row could be compared with every other one for equal contents. */
  get knowsAllContents(): boolean {
    return this.#contents !== undefined
  }

  /** Bytes of the tables. */
  get byteLength(): number {
    return this.#objects.byteLength + (this.#contents?.byteLength ?? 0)
  }

  /** What was said of the object before; remembers it when nothing was. */
  meet(entry: Entry): KnownObject | undefined {
    const size = entry.size === undefined ? 0 : 1 + (entry.size % SIZE_CLASSES)
    const digest = digestClass(entry)
    if (!this.#objects.seek(hash('sha256', entry.uris[0]!, 'binary'))) {
      const content = size * 2048 + digest
      const index = Math.min(entry.index, LAST_INDEX)
      this.#objects.insert(false, ((content & 63) * 2 ** INDEX_BITS + index) >>> 0, content >>> 6)
      return undefined
    }
    const { long, short } = this.#objects
    const index = long & LAST_INDEX
    const content = short * 64 + (long >>> INDEX_BITS)
    const isConflict =
      differ(content >>> 11, size) || (isSameKind(content & 2047, digest) && differ(content & 2047, digest))
    return { index: index === LAST_INDEX ? undefined : index, isConflict }
  }

  /** Index of the first row with the same size and MD5 under another id. */
  meetContent(entry: Entry): number | undefined {
    const md5 = entry.checksums.find(({ algorithm }) => algorithm === 'md5')
    if (this.#contents === undefined || md5 === undefined || entry.size === undefined) return undefined
    if (this.#contents.seek(hash('sha256', `${entry.size} ${md5.value}`, 'binary'))) return this.#contents.long
    if (this.#contents.size < MOST_CONTENTS) this.#contents.insert(false, entry.index)
    else this.#contents = undefined
    return undefined
  }
}

function differ(one: number, other: number): boolean {
  return one !== 0 && other !== 0 && one !== other
}

function isSameKind(one: number, other: number): boolean {
  const [, second] = digestClasses
  return one < second!.first === other < second!.first
}

/** 0 when the row names no digest that can be compared. */
function digestClass({ checksums }: Entry): number {
  for (const { algorithm, first, count } of digestClasses) {
    const checksum = checksums.find(candidate => candidate.algorithm === algorithm)
    if (checksum) return first + (Number.parseInt(checksum.value.slice(0, 12), 16) % count)
  }
  return 0
}

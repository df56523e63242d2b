/**
 * Remembers the target of every entry of a run, so that two entries never write to one file (retrieval 13.3, 16), also
 * where the filesystem folds case or Unicode forms, and that no name is both a file and a directory.
 *
 * Names are not kept, only 97 bits of the SHA-256 of the folded name and who has it, in a `HashIndex`: 14 bytes a name, outside
 * the heap, so a million names in one directory take less than 20 MB and ten million less than 160.
 *
 * Two different names with the same 97 bits would be refused wrongly. Among 10⁷ names that happens with a probability of
 * about 10⁻¹⁶, which is less likely than a memory error, and making it happen on purpose takes 2⁴⁸ hashes, for an
 * entry of the attacker's own. That is why there is no second look at the names.
 */

import { hash } from 'node:crypto'
import { HashIndex } from './hash-index.ts'

/** Why a path cannot be taken. */
export interface NameConflict {
  /** `same`: another entry has this target, perhaps in other case or Unicode form. The others: file versus directory. */
  readonly kind: 'same' | 'parent-is-file' | 'is-directory'
  /** Index of the entry that came first. */
  readonly index: number
  /** As the end of a sentence. */
  readonly problem: string
}

const MAX_INDEX = 0x7fff_fffe

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
  readonly #names = new HashIndex({ keyBits: 97, numberBits: 32 })
  // Manifests are mostly sorted by directory; its parents need not be looked up again for each of its files.
  #lastParent: string | undefined

  /** Names held, files and directories together. */
  get size(): number {
    return this.#names.size
  }

  /** Bytes of the tables. */
  get byteLength(): number {
    return this.#names.byteLength
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
      const owner = this.#ownerOrTake(end < 0 ? parent : parent.slice(0, end), index, true)
      if (owner !== undefined && !this.#names.mark) {
        const problem = `entry ${owner + 1} uses one of its parent directories as a file`
        return { kind: 'parent-is-file', index: owner, problem }
      }
      if (end < 0) break
    }
    this.#lastParent = parent
    return undefined
  }

  #claimFile(path: string, index: number): NameConflict | undefined {
    const owner = this.#ownerOrTake(path, index, false)
    if (owner === undefined) return undefined
    if (this.#names.mark) {
      return { kind: 'is-directory', index: owner, problem: `entry ${owner + 1} uses the same name as a directory` }
    }
    const problem = `entry ${owner + 1} has the same target (names that differ only in case or Unicode form count as one)`
    return { kind: 'same', index: owner, problem }
  }

  /** Who has the name, as a directory where the mark says so; or undefined after it was given to `index`. */
  #ownerOrTake(name: string, index: number, isDirectory: boolean): number | undefined {
    // As a string of bytes: making a Buffer for each digest takes four times as long.
    if (this.#names.seek(hash('sha256', name, 'binary'))) return this.#names.long
    this.#names.insert(isDirectory, index)
    return undefined
  }
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

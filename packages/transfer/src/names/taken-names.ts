/**
 * The names that a plan has given away, and how another one is found for what comes too late.
 *
 * Of each name 57 bits of its SHA-256 are kept, and whether it is a directory: 5 bytes. Equal names are always found. Two
 * different ones are taken for one with a probability of about 10⁻³ in a list of ten million, 10⁻⁵ in one of a million: then
 * a file gets a `_2` that it did not need, and its report says so. Who would make it happen on purpose could as well use
 * the other's name itself.
 */
import { hash } from 'node:crypto'
import { numberedName } from './bytes.ts'
import { HashIndex } from './hash-index.ts'
import { foldName } from './registry.ts'

export type Obstacle = 'same' | 'parent-is-file' | 'is-directory'

/** So many numbers are tried one after the other. */
const IN_A_ROW = 16
const MOST_TRIES = IN_A_ROW + 40
const MOST_HINTS = 4096

export class TakenNames {
  readonly #names = new HashIndex({ keyBits: 57, numberBits: 0 })
  readonly #isCaseSensitive: boolean
  readonly #isReserved: (path: string) => boolean
  /** Last numbers given, by directory and name: a list may hold one name a million times. */
  readonly #hints = new Map<string, number>()
  /** Few: bundles, of which nobody knew before they were met. */
  readonly #opened = new Set<string>()
  /** Lists are mostly sorted by directory. */
  #lastParent = ''

  /** @param isReserved paths that `takeNumbered` must not find, although nobody took them */
  constructor(isCaseSensitive: boolean, isReserved: (path: string) => boolean = () => false) {
    this.#isCaseSensitive = isCaseSensitive
    this.#isReserved = isReserved
  }

  /** Bytes of the tables. */
  get byteLength(): number {
    return this.#names.byteLength
  }

  /** Takes a path as a file, or says what is in its way. */
  take(path: string): Obstacle | undefined {
    const name = this.#fold(path)
    const end = name.lastIndexOf('/')
    if (end > 0 && !this.#takeParents(name.slice(0, end))) return 'parent-is-file'
    if (!this.#seek(name)) {
      this.#names.insert(false)
      return undefined
    }
    return this.#names.mark ? 'is-directory' : 'same'
  }

  /** A path that was taken as a file is a directory: files may lie below it. */
  open(path: string): void {
    this.#opened.add(this.#fold(path))
  }

  /** Takes a path as a file, or the nearest one with numbers where something is in its way; undefined when there is none. */
  takeNumbered(path: string): string | undefined {
    const segments = path.split('/')
    const name = segments.pop()!
    let parent = ''
    for (const segment of segments) {
      // A directory that was made of one in the way serves all files that were meant for that one: so, no hints.
      const free = this.#number(parent, segment, candidate => this.#isNoFile(candidate))
      if (free === undefined) return undefined
      parent = `${parent}${free[0]}/`
    }
    const key = this.#fold(parent + name)
    const isFree = (candidate: string) => !this.#seek(this.#fold(candidate)) && !this.#isReserved(candidate)
    const free = this.#number(parent, name, isFree, this.#hints.get(key))
    if (free === undefined || this.take(parent + free[0]) !== undefined) return undefined
    if (free[1] > 1) this.#remember(key, free[1])
    return parent + free[0]
  }

  /** Does nothing unless all can be directories. If one is a file, those above it were directories before. */
  #takeParents(parent: string): boolean {
    if (parent === this.#lastParent) return true
    for (let end = parent.indexOf('/'); ; end = parent.indexOf('/', end + 1)) {
      const directory = end < 0 ? parent : parent.slice(0, end)
      if (!this.#seek(directory)) this.#names.insert(true)
      else if (!this.#names.mark && !this.#opened.has(directory)) return false
      if (end < 0) break
    }
    this.#lastParent = parent
    return true
  }

  #isNoFile(path: string): boolean {
    const name = this.#fold(path)
    return !this.#seek(name) || this.#names.mark || this.#opened.has(name)
  }

  /**
   * The name itself or the first number from 2 on that is free: one after the other, then in doubling steps and back by
   * halves. Numbers are given without gaps, so that finds the first one, unless the list itself has numbered names.
   * `hint` is a number before which none is free.
   */
  #number(parent: string, name: string, isFree: (path: string) => boolean, hint = 1): [string, number] | undefined {
    if (isFree(parent + name)) return [name, hint]
    const isFreeAt = (number: number) => isFree(parent + numberedName(name, number))
    let taken = hint
    let free = taken + 1
    for (let tries = 1; !isFreeAt(free); tries++) {
      if (tries > MOST_TRIES) return undefined
      taken = free
      free += tries < IN_A_ROW ? 1 : 2 ** (tries - IN_A_ROW)
    }
    while (free - taken > 1) {
      const middle = Math.floor((taken + free) / 2)
      if (isFreeAt(middle)) free = middle
      else taken = middle
    }
    return [numberedName(name, free), free]
  }

  #remember(key: string, number: number): void {
    this.#hints.delete(key)
    this.#hints.set(key, number)
    if (this.#hints.size > MOST_HINTS) this.#hints.delete(this.#hints.keys().next().value!)
  }

  #fold(path: string): string {
    return this.#isCaseSensitive ? path : foldName(path)
  }

  #seek(name: string): boolean {
    return this.#names.seek(hash('sha256', name, 'binary'))
  }
}

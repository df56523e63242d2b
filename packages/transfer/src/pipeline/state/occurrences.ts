import { hash } from 'node:crypto'
import { HashIndex } from '../../names/hash-index.ts'

/** Digest of the nth item with a key, as `HashIndex` wants it: 97 bits of it are kept, as of names (names/registry.ts). */
export function digestOf(key: string, nth: number): string {
  return hash('sha256', nth === 1 ? key : `${key}\0${nth}`, 'binary')
}

/** Counts how often each key was met, in 10 bytes a key. */
export class Occurrences {
  readonly #seen = new HashIndex({ keyBits: 97, numberBits: 0 })

  /** From 1. @returns which one this is, and its digest */
  next(key: string): { readonly nth: number; readonly digest: string } {
    for (let nth = 1; ; nth++) {
      const digest = digestOf(key, nth)
      if (this.#seen.seek(digest)) continue
      this.#seen.insert(false)
      return { nth, digest }
    }
  }
}

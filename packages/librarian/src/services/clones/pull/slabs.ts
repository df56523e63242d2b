import { allocateShared } from '@arriero/transfer'

/** Of one, many files are shared with a store's threads without being copied; no smaller than the largest of them. */
const SLAB = 2 << 20

/** Each begins on a page, so that a store can write it past the page cache. */
const PAGE = 4096

interface Slab {
  readonly room: SharedArrayBuffer
  used: number
  /** Files in it that somebody still reads. */
  files: number
}

/**
 * Memory for small files, used again: made anew for each, it would cost the system more to give and to take back than the bytes
 * cost to be written. What is never given back is left to the collector.
 */
export class Slabs {
  readonly #slabs = new WeakMap<ArrayBufferLike, Slab>()
  readonly #free: Slab[] = []
  #current: Slab | undefined

  /** @returns as many bytes, with anything in them */
  take(size: number): Uint8Array {
    if (size > SLAB) return new Uint8Array(allocateShared(size), 0, size)
    if (!this.#current || this.#current.used + size > SLAB) this.#current = this.#free.pop() ?? this.#make()
    const slab = this.#current
    const bytes = new Uint8Array(slab.room, slab.used, size)
    slab.used += Math.ceil(size / PAGE) * PAGE
    slab.files++
    return bytes
  }

  /** Nobody reads or writes them any more. */
  release({ buffer }: Uint8Array): void {
    const slab = this.#slabs.get(buffer)
    if (!slab || --slab.files > 0) return
    slab.used = 0
    if (slab !== this.#current) this.#free.push(slab)
  }

  #make(): Slab {
    const slab = { room: allocateShared(SLAB), used: 0, files: 0 }
    this.#slabs.set(slab.room, slab)
    return slab
  }
}

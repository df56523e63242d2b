import { isLarge } from './backlog.ts'
import type { Entry } from './manifest/entry.ts'

const LARGE_TRANSFERS = 8
/** A file that needs more than one request counts as large. */
const SMALL = 8 << 20

/** What one file that is under way tells of itself. */
export interface Admitted {
  /** Its size became known. */
  onSize(bytes: number | undefined): void
  /** Its bytes have landed, or it failed: its place is free. May be called twice. */
  leave(): void
}

/** How many files may be under way at once: as many as asked for, else many small ones and a few large ones. */
export class Admission {
  readonly #transfers: number | undefined
  readonly #connections: number
  #active = 0
  #activeLarge = 0
  /** Files under way that turned out to need more than one request. */
  #fetchingLarge = 0

  /** @param transfers asked for; undefined: by their sizes, within all connections */
  constructor(transfers: number | undefined, connections: number) {
    this.#transfers = transfers
    this.#connections = connections
  }

  get active(): number {
    return this.#active
  }

  /** Files under way that the list says are large. */
  get hasLarge(): boolean {
    return this.#activeLarge > 0
  }

  get hasPlace(): boolean {
    if (this.#transfers !== undefined) return this.#active < this.#transfers
    if (this.#active < LARGE_TRANSFERS) return true
    return this.#active < this.#connections && this.#fetchingLarge < LARGE_TRANSFERS
  }

  enter(entry: Entry, onLeft: () => void): Admitted {
    this.#active++
    if (isLarge(entry)) this.#activeLarge++
    let hasPlace = true
    let needsMore = false
    return {
      onSize: bytes => {
        if (needsMore || !hasPlace || bytes === undefined || bytes <= SMALL) return
        needsMore = true
        this.#fetchingLarge++
      },
      leave: () => {
        if (!hasPlace) return
        hasPlace = false
        this.#active--
        if (needsMore) this.#fetchingLarge--
        if (isLarge(entry)) this.#activeLarge--
        onLeft()
      },
    }
  }
}

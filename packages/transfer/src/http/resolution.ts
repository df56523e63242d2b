import { expiryOf } from './expiry.ts'
import type { Hop } from './redirects.ts'

/** A resolved URL is not used any more this long before it dies. */
const MARGIN_MS = 60_000

/** Where a URL's redirects lead: resolved once, used until it dies or fails (retrieval 8.3). */
export class Resolution {
  readonly first: Hop
  readonly #now: () => number
  #last: { readonly hop: Hop; readonly expiresAt: number | undefined } | undefined

  constructor(first: Hop, now: () => number) {
    this.first = first
    this.#now = now
  }

  /** The end of the last chain while it is good, else the beginning. */
  get current(): Hop {
    const last = this.#last
    if (!last) return this.first
    if (last.expiresAt === undefined || this.#now() < last.expiresAt - MARGIN_MS) return last.hop
    this.#last = undefined
    return this.first
  }

  /** A chain ended here with an answer. */
  remember(hop: Hop): void {
    if (hop === this.first || hop === this.#last?.hop) return
    this.#last = { hop, expiresAt: expiryOf(hop.url) }
  }

  /** Whether a hop came from an earlier chain, so that a new one may lead elsewhere. */
  isRemembered(hop: Hop): boolean {
    return hop === this.#last?.hop
  }

  forget(): void {
    this.#last = undefined
  }
}

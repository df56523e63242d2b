import { TransferError } from './errors.ts'
import type { Resource } from './resource.ts'
import type { Source } from './source.ts'

/** One place where the bytes can be had: the URL itself or a mirror. */
export class Place {
  readonly source: Source
  /** What this very place said; entity tags mean nothing across hosts (retrieval 9). */
  resource: Resource | undefined
  /** Requests under way. */
  active = 0
  #bytes = 0
  #ms = 0
  /** Why it is not asked any more. */
  failure: unknown

  constructor(source: Source) {
    this.source = source
  }

  /** Bytes per ms of one request here; undefined before the first one ended. */
  get rate(): number | undefined {
    return this.#ms > 0 ? this.#bytes / this.#ms : undefined
  }

  ended(bytes: number, ms: number): void {
    this.active--
    this.#bytes += bytes
    this.#ms += ms
  }
}

/** All places of one resource; requests are spread by measured rate. */
export class Places {
  readonly all: readonly Place[]

  constructor(sources: readonly Source[]) {
    this.all = sources.map(source => new Place(source))
  }

  /** The place that should take the next request: fewest requests for its rate, earlier places first. */
  pick(): Place {
    let best: Place | undefined
    let least = Number.POSITIVE_INFINITY
    for (const place of this.all) {
      if (place.failure !== undefined) continue
      // One that never brought a byte comes last, but it does come.
      const load = (place.active + 1) / Math.max(Number.EPSILON, place.rate ?? this.#fastest() ?? 1)
      if (load < least) {
        least = load
        best = place
      }
    }
    if (!best) throw this.all[0]?.failure ?? new TransferError('NotFound', 'There is no place to fetch from')
    return best
  }

  /** Gives a place up. True when another one is left. */
  dismiss(place: Place, failure: unknown): boolean {
    place.failure = failure
    return this.all.some(other => other.failure === undefined)
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map(place => place.source.close()))
  }

  #fastest(): number | undefined {
    let fastest: number | undefined
    for (const { rate } of this.all) if (rate !== undefined && rate > (fastest ?? 0)) fastest = rate
    return fastest
  }
}

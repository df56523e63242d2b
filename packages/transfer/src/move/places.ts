import { TransferError } from '../errors.ts'
import type { Resource } from '../resource.ts'
import type { Source } from '../source.ts'

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

  /** Bytes came from here. */
  get hasServed(): boolean {
    return this.#bytes > 0
  }

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

  /**
   * After content that was wrong: where to try next. Places that had no part in it, else each of those that had, one
   * by one, because it takes only one to spoil the whole.
   */
  others(attempt: number): readonly number[] {
    const indexes = [...this.all.keys()]
    const idle = indexes.filter(index => !this.all[index]?.hasServed && this.all[index]?.failure === undefined)
    if (idle.length > 0) return idle
    const suspects = indexes.filter(index => this.all[index]?.hasServed)
    return suspects.slice(attempt % suspects.length).slice(0, 1)
  }

  /** Bytes per second of one request at the fastest place; undefined before one has ended. */
  get usualRate(): number | undefined {
    const rate = this.#fastest()
    return rate === undefined ? undefined : rate * 1000
  }

  /** Only these are asked. */
  keepOnly(indexes: readonly number[]): void {
    const failure = new TransferError('ChecksumMismatch', 'What came from here was wrong')
    for (const [index, place] of this.all.entries()) if (!indexes.includes(index)) place.failure = failure
  }

  async close(): Promise<void> {
    for (const { source } of this.all) await source.close()
  }

  /** Bytes per ms. */
  #fastest(): number | undefined {
    let fastest: number | undefined
    for (const { rate } of this.all) if (rate !== undefined && rate > (fastest ?? 0)) fastest = rate
    return fastest
  }
}

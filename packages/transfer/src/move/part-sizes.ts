import type { EngineParts } from '../engine.ts'
import { initialPartSize, nextPartSize, USUAL_PARTS } from '../limits/part-size.ts'
import { averageRate } from '../limits/slow-link.ts'
import type { Places } from './places.ts'
import type { Requests } from './requests.ts'

export interface PartSizesOptions {
  readonly engine: EngineParts
  readonly places: Places
  /** Bytes; undefined: adaptive. */
  readonly partSize: number | undefined
}

const RATE_WINDOW_MS = 3000

/** How large the parts of one move are: as the caller wants them, else as its connections turn out to be. */
export class PartSizes {
  readonly #o: PartSizesOptions
  readonly #least: number
  #adapted: number

  constructor(options: PartSizesOptions) {
    const { workingSet } = options.engine
    this.#o = options
    this.#least = Math.max(...options.places.all.map(({ source }) => source.capabilities.partBytes ?? 0))
    workingSet.raise(this.#least * USUAL_PARTS)
    this.#adapted = initialPartSize(workingSet.size, this.#least)
  }

  /** Bytes of the next part. */
  get next(): number {
    return this.#o.partSize ?? this.#adapted
  }

  /**
   * To be called from time to time.
   *
   * @param pending parts that arrived and were not consumed
   */
  adapt(requests: Requests, pending: number): void {
    const { workingSet, clock } = this.#o.engine
    const now = clock.now()
    workingSet.adapt(now, pending >= requests.size)
    const rates = [...requests].map(({ samples }) => averageRate(samples, now, RATE_WINDOW_MS) ?? 0)
    const rate = rates.length > 0 ? rates.reduce((sum, one) => sum + one, 0) / rates.length : undefined
    // Beside those that arrive, a few are being written and hashed.
    const parts = Math.max(4, requests.size) + 4
    this.#adapted = nextPartSize({ rate, current: this.#adapted, budget: workingSet.size, parts, least: this.#least })
  }
}

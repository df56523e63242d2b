const MIB = 1 << 20

/** Bytes of slots in use that are enough wherever the first byte of an answer comes soon. */
const ENOUGH = 48 * MIB

/** Share of a request's time spent waiting for its first byte, from which on larger parts are worth their memory. */
const WORTH_MORE = 0.05

/** ms: no path that is worth more memory is as short as this; a busy machine's answers may be. */
const SHORT_WAIT_MS = 10

/** A conclusion needs so many answers and so many ms: a machine that stalls for a moment looks like a long path. */
const ENOUGH_ANSWERS = 16
const ENOUGH_MS = 1000

/**
 * How much of the memory budget is used. On a short path 48 MiB are as fast as a gigabyte: more only piles up behind the
 * disk. On a long one every part costs a round trip in which its connection carries nothing, so parts must be larger:
 * the set grows while waiting takes more than 5 % of the requests' time.
 */
export class WorkingSet {
  readonly #most: number
  #size: number
  /** The shortest wait is the path's; what is above it is the server's load, which larger parts would not cure. */
  #leastWaitMs = Number.POSITIVE_INFINITY
  #totalMs = 0
  #count = 0
  #since = Number.NEGATIVE_INFINITY

  /** @param most bytes; the memory budget */
  constructor(most: number) {
    this.#most = most
    this.#size = Math.min(most, ENOUGH)
  }

  /** Bytes. */
  get size(): number {
    return this.#size
  }

  /** So much is worth it without a measurement. */
  raise(bytes: number): void {
    this.#size = Math.max(this.#size, Math.min(this.#most, bytes))
  }

  /** A request for a part has ended: it waited so long for its first byte, and took so long in all. */
  answered(waitedMs: number, totalMs: number): void {
    this.#leastWaitMs = Math.min(this.#leastWaitMs, waitedMs)
    this.#totalMs += totalMs
    this.#count++
  }

  /**
   * To be called from time to time: draws the conclusion from what was told since.
   *
   * @param now the clock's ms
   * @param isBehind what has arrived waits for the disk or the consumer: then more memory would only let more pile up
   */
  adapt(now: number, isBehind: boolean): void {
    if (this.#count < ENOUGH_ANSWERS || now - this.#since < ENOUGH_MS) return
    this.#since = now
    const isLong =
      !isBehind && this.#leastWaitMs > SHORT_WAIT_MS && this.#leastWaitMs / (this.#totalMs / this.#count) > WORTH_MORE
    if (isLong) this.#size = Math.min(this.#most, this.#size * 2)
    this.#leastWaitMs = Number.POSITIVE_INFINITY
    this.#totalMs = 0
    this.#count = 0
  }
}

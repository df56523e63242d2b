/**
 * How often to try again, and when (retrieval 8.5): full jitter, so that parts that failed together do not come back
 * together; a limit per part and per file; both begin anew whenever a part moves on by 1 MiB, because a transfer that
 * gets somewhere is worth its retries.
 */

const MIB = 1024 * 1024

export interface BackoffOptions {
  /** Milliseconds; the first delay is between 0 and this. Default 500. */
  readonly baseMs?: number | undefined
  /** Growth of the longest delay per failure. Default 2. */
  readonly factor?: number | undefined
  /** Milliseconds that no delay exceeds. Default 30,000. */
  readonly capMs?: number | undefined
  /** A number in [0, 1). Default Math.random. */
  readonly random?: (() => number) | undefined
}

/** Milliseconds to wait after the `failures`-th failure in a row (1 for the first). */
export function backoffDelayMs(failures: number, options: BackoffOptions = {}): number {
  const { baseMs = 500, factor = 2, capMs = 30_000, random = Math.random } = options
  return random() * Math.min(capMs, baseMs * factor ** (failures - 1))
}

export interface RetryBudgetOptions extends BackoffOptions {
  /** How many parts the file has, if that is known. Default 1. */
  readonly parts?: number | undefined
  /** Retries of one part without progress. Default 8. */
  readonly perPart?: number | undefined
  /** Retries of all parts together without progress. Default max(32, 2 × parts). */
  readonly perFile?: number | undefined
  /** Bytes of one part that set both counters back to 0. Default 1 MiB. */
  readonly progress?: number | undefined
}

/** What an attempt came to before it failed. */
export interface FailedAttempt {
  /** Bytes that arrived and stay. */
  readonly progressed: number
  /** Which part; its first byte, for example. Default 0: a file that is one part. */
  readonly part?: number | undefined
}

interface PartCount {
  failures: number
  progressed: number
}

/** The retries of one file. */
export class RetryBudget {
  /** How many parts the file has; may be corrected when its size becomes known. */
  parts: number
  readonly #options: RetryBudgetOptions
  /** Only of parts that failed since their last progress. */
  readonly #counts = new Map<number, PartCount>()
  #failures = 0
  #moved = 0

  constructor(options: RetryBudgetOptions = {}) {
    this.#options = options
    this.parts = options.parts ?? 1
  }

  /** Failures since any part's last progress. */
  get failures(): number {
    return this.#failures
  }

  /** Bytes came, of whatever part: the file gets somewhere. */
  moved(bytes: number): void {
    this.#moved += bytes
    if (this.#moved < (this.#options.progress ?? MIB)) return
    this.#moved = 0
    this.#failures = 0
  }

  /** An attempt failed. Milliseconds to wait before the next one; undefined: give up. */
  next({ progressed, part = 0 }: FailedAttempt): number | undefined {
    const { perPart = 8, perFile = Math.max(32, 2 * this.parts), progress = MIB } = this.#options
    const count = this.#counts.get(part) ?? { failures: 0, progressed: 0 }
    this.#counts.set(part, count)
    count.progressed += progressed
    if (count.progressed >= progress) {
      count.progressed = 0
      count.failures = 0
      this.#failures = 0
    }
    count.failures++
    this.#failures++
    return count.failures > perPart || this.#failures > perFile
      ? undefined
      : backoffDelayMs(count.failures, this.#options)
  }
}

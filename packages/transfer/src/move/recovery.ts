import type { EngineParts } from '../engine.ts'
import { TransferError } from '../errors.ts'
import type { FileHooks } from '../hooks/file-hooks.ts'
import type { HookContext } from '../hooks.ts'
import { RetryBudget } from '../limits/backoff.ts'
import type { Range, Resource } from '../resource.ts'
import type { Part } from './parts.ts'
import type { Places } from './places.ts'
import type { Request } from './requests.ts'

export interface RecoveryOptions {
  readonly engine: EngineParts
  readonly places: Places
  readonly hooks: FileHooks | undefined
  readonly hookContext: HookContext
  /** Attempts for a part that makes no progress. */
  readonly retries: number | undefined
  readonly maxRetryAfterMs: number
}

/** What follows from failed requests of one move (retrieval 8.5): another attempt, another place, or the end. */
export class Recovery {
  readonly #o: RecoveryOptions
  readonly #budget: RetryBudget
  /** Parts (undefined: the contact) whose connection failed: they are asked for on a new one. */
  readonly #suspects = new Set<Part | undefined>()
  /** Attempts made again. */
  retries = 0

  constructor(options: RecoveryOptions) {
    this.#o = options
    this.#budget = new RetryBudget({ perPart: options.retries, random: options.engine.random })
  }

  /** How many parts there are, once known. */
  set parts(count: number) {
    this.#budget.parts = count
  }

  /** Bytes arrived somewhere. */
  moved(count: number): void {
    this.#budget.moved(count)
  }

  /** Whether the last connection for this part failed; asked once for each new request. */
  isSuspect(part: Part | undefined): boolean {
    return this.#suspects.delete(part)
  }

  /**
   * ms to wait before another attempt; undefined: there is none.
   *
   * @param progressed bytes of the failed attempt that stay
   * @param isFirst no place has answered yet, so none can contradict another
   */
  async delayAfter(
    error: unknown,
    { place, stretch }: Request,
    { progressed, isFirst }: { readonly progressed: number; readonly isFirst: boolean },
  ): Promise<number | undefined> {
    const { engine, places, maxRetryAfterMs } = this.#o
    if (!(error instanceof TransferError)) return undefined
    // A place that contradicts the others with its very first answer is another file's.
    const isStranger = error.code === 'ResourceChanged' && !isFirst && place.resource === undefined
    if (!error.retriable) return (isStranger || isOnePlaces(error)) && places.dismiss(place, error) ? 0 : undefined
    const until = error.details.until
    if (until !== undefined && until - engine.clock.wallNow() > maxRetryAfterMs) {
      return places.dismiss(place, error) ? 0 : undefined
    }
    this.#tellLimits(error, place.source.origin)
    const delayMs = this.#budget.next({ progressed, part: stretch?.part.start })
    if (delayMs === undefined) return places.dismiss(place, error) ? 0 : undefined
    this.retries++
    engine.progress.retries++
    // An answer that says no came over a good connection.
    if (error.status === undefined) this.#suspects.add(stretch?.part)
    return this.#announce(error, delayMs, stretch && { start: stretch.start, end: stretch.limit })
  }

  #tellLimits(error: TransferError, origin: string): void {
    const { limits } = this.#o.engine
    if (error.code === 'Throttled') limits.pushBack(origin, { until: error.details.until })
    else if (isRefusal(error)) limits.pushBack(origin, { reason: 'refused' })
    else if (error.code === 'Network') limits.reset(origin)
  }

  async #announce(error: TransferError, delayMs: number, part: Range | undefined): Promise<number | undefined> {
    const { engine, hooks, hookContext } = this.#o
    const fields = { delayMs, reason: error.message }
    engine.emit({ level: 'WARN', stage: 'fetch', event: 'retry', file: hookContext.uri, part, fields })
    if (!hooks?.has('onRetry')) return delayMs
    const mayRetry = await hooks.allowsRetry({ ...hookContext, error, attempt: this.retries, delayMs })
    return mayRetry ? delayMs : undefined
  }
}

/** Whether another answer can be proven to be of the same version. */
export function isPinned(resource: Resource | undefined): boolean {
  const { version, etag } = resource ?? {}
  return version !== undefined || (etag !== undefined && !etag.isWeak)
}

function isRefusal({ cause }: TransferError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}

/** Failures that speak of one place, not of the resource. */
function isOnePlaces(error: TransferError): boolean {
  // A status that no repetition changes is this server's word; what is broken in its framing may be too.
  if (error.code === 'Protocol' && (error.status ?? 0) >= 400) return true
  return ['NotFound', 'Denied', 'Expired', 'Tls', 'Redirect', 'SizeMismatch', 'Unsupported'].includes(error.code)
}

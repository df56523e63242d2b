import { abortable } from '../abortable.ts'
import type { Clock } from '../clock.ts'
import { isRetriable, TransferError } from '../errors.ts'
import { backoffDelayMs } from '../limits/backoff.ts'
import type { ItemInFlight } from './item.ts'
import { isThenable, type Stage, type StageOptions } from './stage.ts'

export interface AttemptOptions extends Pick<StageOptions, 'retries' | 'timeoutMs'> {
  readonly stage: Stage
  readonly name: string
  readonly clock: Clock
  readonly random: () => number
  onRetry(): void
}

/**
 * One item through one stage: its value, or a promise of it where the stage needs time. What is done at once costs nothing
 * but the call.
 */
export function attempt(item: ItemInFlight, options: AttemptOptions): unknown {
  item.attempt = 1
  if (item.signal.aborted) return Promise.reject(item.signal.reason)
  try {
    const given = once(item, options)
    return isThenable(given) ? Promise.resolve(given).catch(error => again(item, options, error)) : given
  } catch (error) {
    return mayRetry(error, item, options) ? again(item, options, error) : Promise.reject(error)
  }
}

async function again(item: ItemInFlight, options: AttemptOptions, first: unknown): Promise<unknown> {
  for (let error = first; ; ) {
    if (!mayRetry(error, item, options)) throw error
    options.onRetry()
    await options.clock.sleep(backoffDelayMs(item.attempt, { random: options.random }), item.signal)
    item.attempt++
    try {
      return await once(item, options)
    } catch (failure) {
      error = failure
    }
  }
}

function mayRetry(error: unknown, item: ItemInFlight, { retries = 0 }: AttemptOptions): boolean {
  if (item.signal.aborted || item.attempt > retries) return false
  // The engine knows which of its failures are final; of a function only the caller does.
  return !(error instanceof TransferError) || isRetriable(error)
}

function once(item: ItemInFlight, { stage, name, timeoutMs }: AttemptOptions): unknown {
  if (timeoutMs === undefined) return stage.run(item.value, item)
  return withLimit(item, name, timeoutMs, () => stage.run(item.value, item))
}

/** Whoever does not listen to the signal goes on in vain: its answer is no longer waited for. */
async function withLimit(item: ItemInFlight, name: string, limitMs: number, run: () => unknown): Promise<unknown> {
  const whole = item.signal
  // Not AbortSignal.timeout: of a million items each would stay until its time is over.
  const own = new AbortController()
  const onAbort = () => own.abort(whole.reason)
  whole.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => own.abort(new DOMException('Its time is over', 'TimeoutError')), limitMs)
  item.signal = own.signal
  try {
    return await abortable(Promise.resolve(run()), item.signal)
  } catch (error) {
    if (whole.aborted || !own.signal.aborted) throw error
    const message = `${name}: it did not answer within ${limitMs / 1000} s`
    throw new TransferError('Timeout', message, { phase: 'stage', retriable: false })
  } finally {
    clearTimeout(timer)
    whole.removeEventListener('abort', onAbort)
    item.signal = whole
  }
}

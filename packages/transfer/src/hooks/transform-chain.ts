/**
 * The `transform` of every object, one behind the other, each watched: by its time limit, by what it gives, by the signal.
 *
 * A pass is at work while it neither waits for bytes nor is waited with for its next step. Only that counts, for the limit
 * and for the time told, so that a slow server or disk is never a hook's fault.
 */
import type { Transform, WorkerHook } from '../hooks.ts'
import type { TransformThreads } from '../workers/transform-threads.ts'
import { kindOf } from './answers.ts'
import { moduleUrl } from './check-hooks.ts'
import { hookFailed, hookHung, hookWrong } from './failure.ts'
import { Leash } from './leash.ts'
import type { OnTime } from './listener.ts'
import { Stopwatch } from './stopwatch.ts'

export interface Stage {
  readonly label: string
  readonly timeoutMs: number
  readonly pass: Transform | WorkerHook
}

export interface ChainOptions {
  readonly signal: AbortSignal | undefined
  readonly onTime: OnTime
  readonly threads: TransformThreads
}

export async function* chain(
  stages: readonly Stage[],
  bytes: AsyncIterable<Uint8Array>,
  { signal, onTime, threads }: ChainOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const places = stages.filter(({ pass }) => typeof pass !== 'function').length
  // All threads at once, or two files might each wait for the other's.
  using seats = await threads.take(places, signal)
  let passed = bytes
  for (const stage of stages) {
    const { pass } = stage
    const transform = typeof pass === 'function' ? pass : seats.transform(moduleUrl(pass), pass.export)
    passed = watched(stage, transform, passed, signal, onTime)
  }
  yield* passed
}

async function* watched(
  { label, timeoutMs }: Stage,
  transform: Transform,
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  onTime: OnTime,
): AsyncGenerator<Uint8Array, void, undefined> {
  using watch = new Stopwatch(timeoutMs)
  const leash = new Leash()
  watch.onExpired = () => leash.cut(hookHung(label, timeoutMs))
  const onAbort = () => leash.cut(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  let steps: AsyncIterator<Uint8Array> | undefined
  let isOver = false
  try {
    signal?.throwIfAborted()
    steps = iteratorOf(transform(paused(input, watch)), label)
    for (;;) {
      watch.start()
      const step = await leash.wait(steps.next())
      watch.stop()
      isOver = step.done === true
      if (isOver) break
      const { value } = step as { readonly value: unknown }
      if (!(value instanceof Uint8Array)) throw hookWrong(label, 'pieces of bytes (Uint8Array)', kindOf(value))
      yield value
    }
    // A pass that takes the loss of its input for the end must not make a short file look whole.
    if (watch.inputFailure) throw watch.inputFailure.error
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    // Where the input failed, its reason is told and not that of who passed it on.
    throw watch.inputFailure === undefined ? hookFailed(label, error) : watch.inputFailure.error
  } finally {
    // A pass that is left may want to close what it opened; one that hangs is not waited for.
    const leaving = isOver ? undefined : steps?.return?.()
    watch.start()
    if (leaving) await leash.wait(leaving).catch(() => {})
    watch.stop()
    signal?.removeEventListener('abort', onAbort)
    onTime('transform', watch.ms)
  }
}

/** The same bytes; the watch stands still while they are waited for. */
async function* paused(input: AsyncIterable<Uint8Array>, watch: Stopwatch): AsyncGenerator<Uint8Array> {
  const steps = input[Symbol.asyncIterator]()
  try {
    for (;;) {
      watch.pause()
      let step: IteratorResult<Uint8Array>
      try {
        step = await steps.next()
      } catch (error) {
        watch.inputFailure = { error }
        throw error
      } finally {
        watch.resume()
      }
      if (step.done) return
      yield step.value
    }
  } finally {
    await steps.return?.()
  }
}

function iteratorOf(given: unknown, label: string): AsyncIterator<Uint8Array> {
  const iterable = given as AsyncIterable<Uint8Array> | undefined | null
  const make = iterable?.[Symbol.asyncIterator]
  if (typeof make !== 'function') throw hookWrong(label, 'an async iterable of bytes', kindOf(given))
  return make.call(iterable)
}

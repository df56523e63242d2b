import { TransferError } from '../errors.ts'
import type { HookName, Hooks, WorkerHook } from '../hooks.ts'
import type { CpuPool } from '../workers/cpu-pool.ts'
import { moduleUrl } from './check-hooks.ts'
import { hookFailed, hookHung, isHung } from './failure.ts'
import { forThread } from './for-thread.ts'
import { waitFor } from './wait.ts'

/** One object's hook of one name. */
export interface Listener {
  readonly name: HookName
  /** For messages: the hook, and where it comes from if that is not plain. */
  readonly label: string
  readonly timeoutMs: number
  readonly isAdvisory: boolean
  /** Advisory, and did not answer in time: not asked again. */
  isMute: boolean
  /** Settles with what the hook gives, by its time limit and the signal. */
  call(argument: unknown, asking: Asking): unknown
}

export interface Asking {
  readonly signal: AbortSignal | undefined
  /** The hook is left alone with what it was lent, until it settles. */
  onLeft?(settled: Promise<unknown>): void
}

/** Told how long each call took. */
export type OnTime = (name: HookName, ms: number) => void

/** Default of `timeoutMs`. */
const PATIENCE_MS = 300_000

export function listenerOf(hooks: Hooks, name: Exclude<HookName, 'transform'>, owner: string, cpu: CpuPool): Listener {
  const hook = hooks[name] as ((argument: unknown) => unknown) | WorkerHook
  const { timeoutMs = PATIENCE_MS, advisory } = hooks
  const label = labelOf(name, hook, owner)
  return {
    name,
    label,
    timeoutMs,
    isAdvisory: advisory?.includes(name) ?? false,
    isMute: false,
    call:
      typeof hook === 'function'
        ? (argument, asking) => called(hook.call(hooks, argument), label, timeoutMs, asking)
        : (argument, { signal }) => calledInThread(hook, label, timeoutMs, argument, signal, cpu),
  }
}

export function labelOf(name: HookName, hook: unknown, owner: string): string {
  if (typeof hook === 'function') return `${name}${owner}`
  return `${name}${owner} (${(hook as WorkerHook).export} of ${moduleUrl(hook as WorkerHook)})`
}

export function patienceOf({ timeoutMs = PATIENCE_MS }: Hooks): number {
  return timeoutMs
}

/**
 * Asks it, and tells how long it took. An advisory one that fails gives undefined.
 *
 * @throws TransferError HookFailed, or what the hook threw if it is a TransferError; the signal's reason
 */
export async function ask(listener: Listener, argument: unknown, asking: Asking, onTime: OnTime): Promise<unknown> {
  if (listener.isMute) return undefined
  const startedAt = performance.now()
  try {
    return await listener.call(argument, asking)
  } catch (error) {
    if (asking.signal?.aborted) throw asking.signal.reason
    const failure = hookFailed(listener.label, error)
    if (!listener.isAdvisory) throw failure
    listener.isMute = isHung(failure)
    return undefined
  } finally {
    onTime(listener.name, performance.now() - startedAt)
  }
}

/** A hook that has answered at once costs neither timer nor listener. */
function called(given: unknown, label: string, timeoutMs: number, { signal, onLeft }: Asking): unknown {
  if (!isThenable(given)) return given
  const limits = { timeoutMs, signal, hung: () => hookHung(label, timeoutMs) }
  return waitFor(given, limits, () => onLeft?.(Promise.resolve(given).catch(() => {})))
}

async function calledInThread(
  hook: WorkerHook,
  label: string,
  timeoutMs: number,
  argument: unknown,
  signal: AbortSignal | undefined,
  cpu: CpuPool,
): Promise<unknown> {
  const job = { module: moduleUrl(hook), name: hook.export, args: [forThread(argument)], signal, timeoutMs }
  try {
    return (await cpu.run(job)).value
  } catch (error) {
    // The pool's own, and none that the function threw: those come as plain errors.
    const isLate = error instanceof TransferError && error.code === 'Timeout'
    throw isLate ? hookHung(label, timeoutMs) : error
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && typeof (value as PromiseLike<unknown>).then === 'function'
}

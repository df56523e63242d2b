/** From what a caller gives as `hooks` to what the engine asks, and back: who makes an object closes it. */
import type { Hooks, HooksMaker, HooksOption, RunEnd } from '../hooks.ts'
import { ActiveHooks, type HookEngine } from './active-hooks.ts'
import { checkHooks } from './check-hooks.ts'
import { hookFailed, hookHung } from './failure.ts'
import { patienceOf } from './listener.ts'
import { Patience } from './patience.ts'
import { waitFor } from './wait.ts'

interface WithHooks {
  readonly hooks?: HooksOption | undefined
  readonly signal?: AbortSignal | undefined
}

/** How a call ended. */
export type Ended<T> = { readonly result: T } | { readonly error: unknown }

/** Hooks that are ready to be called. */
export interface MadeHooks {
  /** Checked, in order; none left to make. */
  readonly objects: readonly Hooks[]
  /** Closes what was made, the last first; a failure is told when all are closed. After the abort it gets a moment. */
  close(signal?: AbortSignal): Promise<void>
}

/**
 * Makes the objects that an option stands for.
 *
 * @throws TransferError Usage: something is no object of hooks; HookFailed: one could not be made
 */
export async function makeHooks(option: HooksOption): Promise<MadeHooks> {
  const objects: Hooks[] = []
  const made: Hooks[] = []
  const close = (signal?: AbortSignal) => closeAll(made.splice(0).reverse(), signal)
  try {
    for (const each of asList(option)) {
      const hooks = typeof each === 'function' ? await make(each) : each
      if (typeof each === 'function' && hooks !== null && typeof hooks === 'object') made.push(hooks)
      checkHooks(hooks)
      objects.push(hooks)
    }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  return { objects, close }
}

/** The hooks of a call that is under way; undefined when there are none. */
export function activeHooks({ hooks }: WithHooks): ActiveHooks | undefined {
  if (hooks === undefined || (hooks as unknown) instanceof ActiveHooks)
    return hooks as unknown as ActiveHooks | undefined
  throw new TypeError('These hooks were not opened by withHooks()')
}

/** Options whose hooks are ready. */
export interface OpenedHooks<Options> {
  readonly options: Options
  /** Those that were opened here, and not by a call that this one is within. */
  readonly own: ActiveHooks | undefined
  /** Closes what was made here. */
  close(): Promise<void>
}

/** Opens the hooks of a call; a call within another one has them already. */
export async function openHooks<Options extends WithHooks>(
  engine: HookEngine,
  options: Options,
): Promise<OpenedHooks<Options>> {
  const { hooks, signal } = options
  const isOpen = hooks === undefined || (hooks as unknown) instanceof ActiveHooks
  if (isOpen) return { options, own: undefined, close: async () => {} }
  const made = await makeHooks(hooks)
  const own = new ActiveHooks(made.objects, typeof hooks === 'function' ? made : hooks, engine)
  return { options: { ...options, hooks: own as unknown as Hooks }, own, close: () => made.close(signal) }
}

/**
 * Runs a call with its hooks opened, and closes them whatever happens.
 *
 * @param endOf what `onDone` is told; without it the call is none that fetches, and `onDone` is not called
 */
export async function withHooks<Options extends WithHooks, T>(
  engine: HookEngine,
  options: Options,
  use: (options: Options) => Promise<T>,
  endOf?: (ended: Ended<T>) => RunEnd,
): Promise<T> {
  if (options.hooks === undefined) return use(options)
  const opened = await openHooks(engine, options)
  const end = async (ended: Ended<T>) => {
    try {
      if (endOf) await opened.own?.tellEnd('onDone', endOf(ended), options.signal)
    } finally {
      await opened.close()
    }
  }
  let result: T
  try {
    result = await use(opened.options)
  } catch (error) {
    // What went wrong first is what is reported.
    await end({ error }).catch(() => {})
    throw error
  }
  await end({ result })
  return result
}

function asList(option: HooksOption): readonly (Hooks | HooksMaker)[] {
  return Array.isArray(option) ? option : [option as Hooks | HooksMaker]
}

async function make(maker: HooksMaker): Promise<unknown> {
  try {
    return isClass(maker) ? new maker() : await (maker as () => unknown)()
  } catch (error) {
    throw hookFailed(`object ${maker.name || 'without a name'}`, error)
  }
}

/** Classes, and only they, cannot be called without `new`. */
function isClass(maker: HooksMaker): maker is new () => Hooks {
  return /^class\b/.test(Function.prototype.toString.call(maker))
}

async function closeAll(objects: readonly Hooks[], signal: AbortSignal | undefined): Promise<void> {
  using patience = new Patience(signal)
  const failures: unknown[] = []
  for (const hooks of objects) {
    const timeoutMs = patienceOf(hooks)
    const limits = { timeoutMs, signal: patience.signal, hung: () => hookHung('close', timeoutMs) }
    await waitFor(closeOne(hooks), limits).catch(error => failures.push(hookFailed('close', error)))
  }
  if (failures.length > 0) throw failures[0]
}

async function closeOne(hooks: Hooks): Promise<void> {
  await (hooks[Symbol.asyncDispose] ?? hooks[Symbol.dispose] ?? hooks.close)?.call(hooks)
}

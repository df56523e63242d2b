/**
 * Which call a line of the log belongs to. It goes along with the work by itself, as no argument could: lines are written at
 * the bottom, by parts that know nothing of calls.
 *
 * What outlives its call, or does the work of many, must be begun by `outsideOfCalls`: its lines would name a call that they
 * have nothing to do with.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface CallContext {
  /** As the answer’s `x-request-id`. */
  readonly request: string
  transfer?: number
}

const calls = new AsyncLocalStorage<CallContext | undefined>()

/** Lines that are written by this work, and by all that it begins, name the request. */
export function inCall<T>(request: string, work: () => T): T {
  return calls.run({ request }, work)
}

/** Lines of this call name the transfer from now on; outside of calls it does nothing. */
export function ofTransfer(id: number): void {
  const call = calls.getStore()
  if (call) call.transfer = id
}

export function outsideOfCalls<T>(work: () => T): T {
  return calls.run(undefined, work)
}

/** What a line has beside its own fields; a new object each time. */
export function callFields(): object {
  return { ...calls.getStore() }
}

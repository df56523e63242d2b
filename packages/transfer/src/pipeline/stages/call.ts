import { abortable } from '../../abortable.ts'
import type { ItemContext } from '../item.ts'
import { isThenable } from '../stage.ts'

/** Calls a function of the caller's. One that does not listen to the signal is not waited for. */
export function call(
  fn: (value: never, item: ItemContext<never>) => unknown,
  value: unknown,
  item: ItemContext,
): unknown {
  const given = fn(value as never, item as ItemContext<never>)
  return isThenable(given) ? abortable(Promise.resolve(given), item.signal) : given
}

/** `then`, at once where the value is there already. */
export function afterwards(given: unknown, use: (value: unknown) => unknown): unknown {
  return isThenable(given) ? given.then(use) : use(given)
}

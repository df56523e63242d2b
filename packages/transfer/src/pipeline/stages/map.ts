import type { ItemContext } from '../item.ts'
import type { StageDefinition, StageOptions } from '../stage.ts'
import { call } from './call.ts'

/** A function that runs here: for waiting and for little work. */
export function mapHere(
  fn: (value: never, item: ItemContext<never>) => unknown,
  name: string,
  options: StageOptions,
): StageDefinition {
  return {
    kind: 'map',
    name,
    options,
    about: `${fn.name || 'a function'}, in the main thread`,
    start: () => ({ concurrency: 16, run: (value, item) => call(fn, value, item) }),
  }
}

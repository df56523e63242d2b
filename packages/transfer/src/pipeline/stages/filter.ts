import { wrongValue } from '../failure.ts'
import type { ItemContext } from '../item.ts'
import { Ended, type StageDefinition, type StageOptions } from '../stage.ts'
import { afterwards, call } from './call.ts'

export function filter(
  fn: (value: never, item: ItemContext<never>) => unknown,
  name: string,
  options: StageOptions,
): StageDefinition {
  return {
    kind: 'filter',
    name,
    options,
    about: `keeps what ${fn.name || 'a function'} says`,
    start: () => ({
      concurrency: 16,
      run: (value, item) =>
        afterwards(call(fn, value, item), isKept => {
          if (isKept instanceof Ended) return isKept
          if (typeof isKept !== 'boolean') throw wrongValue(name, isKept, 'true, false or drop(reason)')
          return isKept ? value : new Ended('dropped', `${name} left it out`)
        }),
    }),
  }
}

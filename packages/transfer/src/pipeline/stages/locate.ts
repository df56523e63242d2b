import { wrongValue } from '../failure.ts'
import type { ItemContext } from '../item.ts'
import { A_PLACE, locatedOf } from '../located.ts'
import { Ended, type StageDefinition, type StageOptions } from '../stage.ts'
import { afterwards, call } from './call.ts'

export function locate(
  fn: (value: never, item: ItemContext<never>) => unknown,
  name: string,
  options: StageOptions,
): StageDefinition {
  return {
    kind: 'locate',
    name,
    options,
    about: `${fn.name || 'a function'} says where each item is`,
    start: () => ({
      concurrency: 16,
      run: (value, item) =>
        afterwards(call(fn, value, item), given => {
          if (given instanceof Ended) return given
          const located = locatedOf(given)
          if (!located) throw wrongValue(name, given, A_PLACE)
          return located
        }),
    }),
  }
}

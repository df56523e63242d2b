import { TransferError } from '../../errors.ts'
import type { ItemContext, ItemInFlight } from '../item.ts'
import type { StageDefinition, StageOptions } from '../stage.ts'
import { lineOf } from './content.ts'

export interface AppendDefinition extends StageDefinition {
  readonly kind: 'append'
  readonly path: string
}

/** Longest line: what is larger wants a file of its own. */
const LONGEST = 64 << 20

/** A line of one file for each item. It is written together with the record that the item is done: once, whatever happens. */
export function append(path: string, name: string, options: StageOptions): AppendDefinition {
  return {
    kind: 'append',
    name,
    options,
    path,
    about: `a line of ${path} for each item`,
    start: () => ({
      concurrency: 16,
      run(value: unknown, item: ItemContext) {
        const line = lineOf(value, name)
        if (line.byteLength > LONGEST) {
          throw new TransferError('Usage', `${name}: a line must have at most ${LONGEST} bytes, got ${line.byteLength}`)
        }
        ;(item as ItemInFlight).line = line
        return value
      },
    }),
  }
}

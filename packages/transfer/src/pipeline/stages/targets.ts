import { resolve } from 'node:path'
import { TransferError } from '../../errors.ts'
import { NameRegistry } from '../../names/registry.ts'
import { assertInside, resolveTarget } from '../../names/target.ts'
import { wrongValue } from '../failure.ts'
import type { ItemContext } from '../item.ts'

/** Names that functions give to files: inside one directory, and no two items with the same. */
export class Targets {
  readonly directory: string
  readonly #names = new NameRegistry()

  constructor(directory: string) {
    this.directory = resolve(directory)
  }

  /** The absolute path of what a function gave. */
  async take(relative: unknown, item: ItemContext): Promise<string> {
    if (typeof relative !== 'string' || relative === '') throw wrongValue(item.stage, relative, 'a relative path')
    const target = resolveTarget(this.directory, relative)
    await assertInside(this.directory, target)
    const conflict = this.#names.claim(target, item.index)
    // Its own name, taken when it was tried before.
    if (!conflict || (conflict.kind === 'same' && conflict.index === item.index)) return target
    throw new TransferError('Usage', `Cannot write ${target}: ${conflict.problem}`, { file: target })
  }
}

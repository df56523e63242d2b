import { join, sep } from 'node:path'
import type { Place } from './download.ts'
import { TransferError } from './errors.ts'
import type { Entry } from './manifest/entry.ts'
import { NameRegistry } from './names/registry.ts'
import { assertInside, resolveTarget } from './names/target.ts'

/** Where entries go: names from a list stay inside the directory, and no two are the same. */
export class Targets {
  readonly #directory: string
  readonly #arePlanned: boolean
  readonly #names = new NameRegistry()
  readonly #safeParents = new Set<string>()

  /** @param arePlanned somebody has seen to it that no two are the same */
  constructor(directory: string, arePlanned = false) {
    this.#directory = directory
    this.#arePlanned = arePlanned
  }

  async placeOf(entry: Entry): Promise<Place> {
    const { path } = entry
    if (path === undefined) return { directory: this.#directory }
    const isDirectory = path.endsWith('/')
    const target = resolveTarget(this.#directory, isDirectory ? path.slice(0, -1) : path)
    await this.#assertInside(isDirectory ? join(target, 'any name') : target)
    if (isDirectory) return { directory: target }
    this.claim(target, entry)
    return { path: target }
  }

  /** Takes a name for an entry; throws where another one has it. */
  claim(target: string, entry: Entry): void {
    if (this.#arePlanned) return
    const conflict = this.#names.claim(target, entry.index)
    // Its own name, taken when it was begun before.
    if (!conflict || (conflict.kind === 'same' && conflict.index === entry.index)) return
    throw new TransferError('Usage', `Cannot write ${target}: ${conflict.problem}`, { file: target })
  }

  async #assertInside(target: string): Promise<void> {
    const parent = target.slice(0, target.lastIndexOf(sep))
    if (this.#safeParents.has(parent)) return
    await assertInside(this.#directory, target)
    this.#safeParents.add(parent)
  }
}

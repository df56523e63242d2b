import type { MemoryContent } from './memory-content.ts'
import { takenAbove } from './names.ts'
import type { Scanned } from './store.ts'

export interface MemoryFile {
  readonly content: MemoryContent
  /** No other content has had it. */
  readonly fingerprint: string
}

/** What lies under the names of a store in memory. */
export class MemoryFiles {
  readonly #files = new Map<string, MemoryFile>()
  #changes = 0

  has(name: string): boolean {
    return this.#files.has(name)
  }

  get(name: string): MemoryFile | undefined {
    return this.#files.get(name)
  }

  values(): Iterable<MemoryFile> {
    return this.#files.values()
  }

  /** As something new: with a fingerprint of its own. */
  put(name: string, content: MemoryContent): void {
    this.#files.set(name, { content, fingerprint: `memory-${++this.#changes}` })
  }

  /** As it was: what was taken away before comes back. */
  putBack(name: string, file: MemoryFile): void {
    this.#files.set(name, file)
  }

  delete(name: string): void {
    this.#files.delete(name)
  }

  /** Puts other content under a name, or in the place of a tree's member. */
  damage(path: string, content: MemoryContent): void {
    const above = takenAbove(path, other => this.has(other))
    const tree = above === undefined ? undefined : this.get(above)?.content
    if (above === undefined || !(tree instanceof Map) || !(content instanceof Uint8Array)) this.put(path, content)
    else this.put(above, new Map([...tree, [path.slice(above.length + 1), content]]))
  }

  /** Why nothing can be put under a name, beside that it is taken. */
  whyNotFree(name: string): string | undefined {
    const above = takenAbove(name, other => this.has(other))
    if (above !== undefined) return `it lies in ${above}`
    const below = [...this.#files.keys()].find(other => other.startsWith(`${name}/`))
    return below === undefined ? undefined : `${below} lies in it`
  }

  *scan(): Iterable<Scanned> {
    for (const [name, { content }] of [...this.#files]) {
      if (content instanceof Uint8Array) yield { name, shown: name, kind: 'file', size: content.length }
      else yield* scanTree(name, content)
    }
  }
}

function* scanTree(top: string, members: ReadonlyMap<string, Uint8Array | null>): Iterable<Scanned> {
  yield { name: top, shown: top, kind: 'directory', size: 0 }
  for (const [path, bytes] of members) {
    const name = `${top}/${path}`
    yield { name, shown: name, kind: bytes ? 'file' : 'directory', size: bytes?.length ?? 0 }
  }
}

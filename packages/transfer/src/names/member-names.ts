import { foldName } from './registry.ts'
import { pathProblem } from './target.ts'

interface Taken {
  readonly path: string
  readonly type: 'file' | 'directory'
  /** Only the paths of others have told of it. */
  isImplied: boolean
}

/**
 * The names in one tree: each once, and none that another file system would take for another one. What is claimed here can be
 * made below an empty directory, and fetched from there by anybody.
 *
 * @example
 * ```ts
 * const names = new MemberNames()
 * names.claim('a/b', 'file') // undefined: it is good
 * names.claim('A/c', 'file') // 'A and a would be one name where case or Unicode form does not count'
 * ```
 */
export class MemberNames {
  readonly #taken = new Map<string, Taken>()
  // Members come directory by directory: its parents need not be looked up for each of them.
  #lastParent = ''

  /** Names taken, directories included. */
  get size(): number {
    return this.#taken.size
  }

  /** What forbids it, as the end of a sentence; undefined: it is taken now. */
  claim(path: string, type: 'file' | 'directory'): string | undefined {
    return pathProblem(path) ?? this.#claimParents(path) ?? this.#claimOwn(path, type)
  }

  #claimParents(path: string): string | undefined {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (parent === '' || parent === this.#lastParent) return undefined
    for (let end = parent.indexOf('/'); ; end = parent.indexOf('/', end + 1)) {
      const above = end < 0 ? parent : parent.slice(0, end)
      const met = this.#taken.get(foldName(above))
      if (!met) this.#taken.set(foldName(above), { path: above, type: 'directory', isImplied: true })
      else if (met.path !== above) return twins(above, met.path)
      else if (met.type === 'file') return `${JSON.stringify(above)} must be a directory, it is a file`
      if (end < 0) break
    }
    this.#lastParent = parent
    return undefined
  }

  #claimOwn(path: string, type: Taken['type']): string | undefined {
    const key = foldName(path)
    const met = this.#taken.get(key)
    if (!met) {
      this.#taken.set(key, { path, type, isImplied: false })
      return undefined
    }
    if (met.path !== path) return twins(path, met.path)
    if (met.type !== type) return 'it must be either a file or a directory, it is both'
    if (!met.isImplied) return 'it must be there once, it is there twice'
    met.isImplied = false
    return undefined
  }
}

function twins(a: string, b: string): string {
  return `${JSON.stringify(a)} and ${JSON.stringify(b)} would be one name where case or Unicode form does not count`
}

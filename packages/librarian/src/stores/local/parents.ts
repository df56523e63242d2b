import { readdirSync } from 'node:fs'
import { printable } from '@arriero/transfer/paths'
import { fileExists } from '../refusals.ts'
import type { Context } from './context.ts'
import { Held } from './held.ts'
import { PRIVATE } from './layout.ts'
import { isCommittedTree, PARENT_MODE } from './modes.ts'
import { codeOf } from './system-error.ts'

/** Directories held at once; the rest are entered again. */
const HELD_AT_ONCE = 200

/**
 * The directories above files, for the time of one call: entered once, made where they are missing, and at the end synced
 * once each, the new ones with all above them (reliability 7.4, 7.6).
 */
export class Parents implements Disposable {
  readonly #context: Context
  readonly #held = new Map<string, Held>()
  readonly #touched = new Set<string>()

  constructor(context: Context) {
    this.#context = context
    this.#held.set('', Held.place(context.layout.root))
  }

  /**
   * The directory that a name lies in, and its last segment.
   *
   * @throws LibrarianError FileExists where a file, a link or a committed tree is in the way.
   */
  of(name: string): { readonly directory: Held; readonly leaf: string; readonly above: string } {
    const above = parentOf(name)
    return { directory: this.#enter(above, name, true), leaf: leafOf(name), above }
  }

  /** The same, and undefined where it is not there. */
  find(name: string): { readonly directory: Held; readonly leaf: string; readonly above: string } | undefined {
    const above = parentOf(name)
    try {
      return { directory: this.#enter(above, name, false), leaf: leafOf(name), above }
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
      throw error
    }
  }

  /** Whether it is a directory that only leads to files; one that leads nowhere is too. */
  isParent(name: string): boolean {
    const found = this.find(name)
    if (!found?.directory.look(found.leaf)?.isDirectory()) return false
    using inside = found.directory.enter(found.leaf)
    return !isCommittedTree(inside.stats().mode)
  }

  /** Whether it is a directory of ours that leads nowhere. */
  isHollow(name: string): boolean {
    const found = this.find(name)
    if (!found || !this.isParent(name)) return false
    using inside = found.directory.enter(found.leaf)
    return readdirSync(inside.path).length === 0
  }

  /** Whether something above a name keeps it from ever being given: a file, a link, a committed tree. */
  isBarred(name: string): boolean {
    for (const above of upToRoot(parentOf(name))) {
      if (above === '') continue
      const met = this.find(above)
      const stats = met?.directory.look(met.leaf)
      if (stats && (!stats.isDirectory() || isCommittedTree(stats.mode))) return true
    }
    return false
  }

  /** Its entries have changed. */
  touch(above: string): void {
    this.#touched.add(above)
  }

  /** It may be gone: others remove empty ones. */
  forget(above: string): void {
    for (const [path, held] of this.#held) {
      if (path === '' || (path !== above && !path.startsWith(`${above}/`))) continue
      held[Symbol.dispose]()
      this.#held.delete(path)
    }
  }

  /** @returns why, by directory, where names in it are not durable. */
  sync(): ReadonlyMap<string, unknown> {
    const failures = new Map<string, unknown>()
    const { durableDirectories } = this.#context
    const known = new Map<string, string>()
    for (const above of [...this.#touched]) {
      for (const parent of upToRoot(above)) {
        const key = this.#keyOf(parent)
        if (key === undefined) continue
        known.set(parent, key)
        if (parent === above || !durableDirectories.has(key)) this.#touched.add(parent)
      }
    }
    for (const above of this.#touched) {
      try {
        this.#context.durability.path(this.#enter(above, above, false).at('.'))
      } catch (error) {
        failures.set(above, error)
      }
    }
    this.#touched.clear()
    if (failures.size === 0) for (const key of known.values()) durableDirectories.add(key)
    return failures
  }

  [Symbol.dispose](): void {
    for (const held of this.#held.values()) held[Symbol.dispose]()
    this.#held.clear()
  }

  /** An inode's number comes again, its time of birth with it does not. */
  #keyOf(above: string): string | undefined {
    try {
      const { dev, ino, birthtimeMs } = this.#enter(above, above, false).stats()
      return `${dev}:${ino}:${birthtimeMs}`
    } catch {
      return undefined
    }
  }

  #enter(path: string, name: string, mayMake: boolean): Held {
    const known = this.#held.get(path)
    if (known) return known
    if (this.#held.size > HELD_AT_ONCE) this.#letGo()
    const above = parentOf(path)
    const parent = this.#enter(above, name, mayMake)
    const directory = mayMake ? this.#make(parent, path, above, name) : parent.enter(leafOf(path))
    this.#held.set(path, directory)
    return directory
  }

  #make(parent: Held, path: string, above: string, name: string): Held {
    try {
      const { directory, isNew } = parent.make(leafOf(path), PARENT_MODE)
      if (isNew) this.#touched.add(above)
      if (!isNew && isCommittedTree(directory.stats().mode)) {
        directory[Symbol.dispose]()
        throw fileExists(name, `it lies in the tree ${printable(path)}`)
      }
      if (!isNew && directory.look(PRIVATE)?.isDirectory()) {
        directory[Symbol.dispose]()
        throw fileExists(name, `it lies in ${printable(path)}, which is the root of another store`)
      }
      return directory
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOTDIR' || code === 'ELOOP') throw fileExists(name, `${printable(path)} above it is no directory`)
      throw error
    }
  }

  #letGo(): void {
    for (const [path, held] of this.#held) {
      if (path === '') continue
      held[Symbol.dispose]()
      this.#held.delete(path)
    }
  }
}

export function parentOf(name: string): string {
  const slash = name.lastIndexOf('/')
  return slash === -1 ? '' : name.slice(0, slash)
}

function leafOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

function upToRoot(above: string): string[] {
  const parents = [above]
  for (let at = above; at !== ''; parents.push(at)) at = parentOf(at)
  return parents
}

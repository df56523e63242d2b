/**
 * Members of the trees that were asked for last. Whoever fetches a tree asks for each of its members, and a manifest may be
 * of some MiB: it is parsed once. What is cached never changes: it is kept by digest.
 */
import { parseContents, type TreeContents } from './tree-members.ts'

export interface MemberCacheOptions {
  /** The manifest of a tree by the tree's name. */
  readonly read: (name: string) => Promise<string | undefined>
  /** Characters of manifests whose members are kept. Default 64 Mi. */
  readonly most?: number | undefined
}

export class MemberCache {
  readonly #read: MemberCacheOptions['read']
  readonly #most: number
  /** The last one used is the last one here. */
  readonly #kept = new Map<string, { readonly length: number; readonly contents: Promise<TreeContents> }>()
  /** Who asks while it is read and parsed has the same. */
  readonly #coming = new Map<string, Promise<TreeContents>>()
  #length = 0

  constructor({ read, most = 64 << 20 }: MemberCacheOptions) {
    this.#read = read
    this.#most = most
  }

  /** @param key changes when the tree does: its name and digest */
  async of(name: string, key: string): Promise<TreeContents> {
    const known = this.#kept.get(key)
    if (known) {
      this.#kept.delete(key)
      this.#kept.set(key, known)
      return known.contents
    }
    const coming = this.#coming.get(key) ?? this.#load(name, key).finally(() => this.#coming.delete(key))
    this.#coming.set(key, coming)
    return coming
  }

  async #load(name: string, key: string): Promise<TreeContents> {
    const manifest = (await this.#read(name)) ?? ''
    const contents = parseContents(manifest)
    this.#keep(key, manifest.length, contents)
    return contents
  }

  #keep(key: string, length: number, contents: TreeContents): void {
    if (length > this.#most || this.#kept.has(key)) return
    this.#kept.set(key, { length, contents: Promise.resolve(contents) })
    this.#length += length
    for (const [oldest, { length }] of this.#kept) {
      if (this.#length <= this.#most) return
      this.#kept.delete(oldest)
      this.#length -= length
    }
  }
}

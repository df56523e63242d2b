/** A tree as DRS has it: bundles in bundles, each with the digest that DRS prescribes for one. */
import { createHash } from 'node:crypto'
import type { TreeMembers } from '../data/tree-members.ts'

export interface BlobNode {
  readonly kind: 'blob'
  readonly name: string
  /** Below the tree. */
  readonly path: string
  readonly size: number
  readonly sha256: string
}

export interface BundleNode {
  readonly kind: 'bundle'
  readonly name: string
  readonly path: string
  readonly size: number
  /** Over the sorted digests of what it holds itself, one after the other (GA4GH DRS 1.5, `checksums`). */
  readonly sha256: string
  readonly contents: readonly Node[]
}

export type Node = BlobNode | BundleNode

/** @param name of the top */
export function bundleOf(name: string, members: TreeMembers): BundleNode {
  const top = new Directory(name, '')
  for (const { path, size, sha256 } of members.values()) {
    const parts = path.split('/')
    const leaf = parts.pop() as string
    top.below(parts).contents.push({ kind: 'blob', name: leaf, path, size, sha256 })
  }
  return top.close()
}

class Directory {
  readonly contents: BlobNode[] = []
  readonly #name: string
  readonly #path: string
  readonly #directories = new Map<string, Directory>()

  constructor(name: string, path: string) {
    this.#name = name
    this.#path = path
  }

  below(parts: readonly string[]): Directory {
    return parts.reduce<Directory>((directory, part) => directory.#child(part), this)
  }

  close(): BundleNode {
    const bundles = [...this.#directories.values()].map(directory => directory.close())
    const contents = [...this.contents, ...bundles].sort((a, b) => (a.name < b.name ? -1 : 1))
    const digests = contents.map(({ sha256 }) => sha256).sort()
    return {
      kind: 'bundle',
      name: this.#name,
      path: this.#path,
      size: contents.reduce((sum, { size }) => sum + size, 0),
      sha256: createHash('sha256').update(digests.join('')).digest('hex'),
      contents,
    }
  }

  #child(name: string): Directory {
    const path = this.#path === '' ? name : `${this.#path}/${name}`
    const known = this.#directories.get(name) ?? new Directory(name, path)
    this.#directories.set(name, known)
    return known
  }
}

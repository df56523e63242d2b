/** Members of a tree, as its canonical manifest has them (reliability 1). */
import { z } from 'zod'

export interface TreeMember {
  /** Below the tree. */
  readonly path: string
  readonly size: number
  /** Hex. */
  readonly sha256: string
}

/** Files by path, in the manifest's order. */
export type TreeMembers = ReadonlyMap<string, TreeMember>

export interface TreeContents {
  readonly members: TreeMembers
  /** Paths of all directories, those with nothing in them too; parents first. */
  readonly directories: readonly string[]
}

const line = z.object({
  path: z.string().min(1),
  type: z.string(),
  size: z.int().nonnegative().optional(),
  sha256: z.string().length(64).optional(),
})

/** @param manifest lines of JSON */
export function parseContents(manifest: string): TreeContents {
  const directories: string[] = []
  const members = new Map<string, TreeMember>()
  for (const text of manifest.split('\n')) {
    if (text === '') continue
    const { path, type, size, sha256 } = line.parse(JSON.parse(text))
    if (type === 'directory') directories.push(path)
    else if (size !== undefined && sha256 !== undefined) members.set(path, { path, size, sha256 })
  }
  return { members, directories }
}

/** Members of a tree, as its canonical manifest has them (reliability 1). */
import { z } from 'zod'

export interface TreeMember {
  /** Below the tree. */
  readonly path: string
  readonly size: number
  /** Hex. */
  readonly sha256: string
}

/** By path, in the manifest's order. Directories that stand in the manifest for themselves have no bytes, and are left out. */
export type TreeMembers = ReadonlyMap<string, TreeMember>

const line = z.object({
  path: z.string().min(1),
  type: z.string(),
  size: z.int().nonnegative().optional(),
  sha256: z.string().length(64).optional(),
})

/** @param manifest lines of JSON */
export function parseMembers(manifest: string): TreeMembers {
  const members = new Map<string, TreeMember>()
  for (const text of manifest.split('\n')) {
    if (text === '') continue
    const { path, size, sha256 } = line.parse(JSON.parse(text))
    if (size !== undefined && sha256 !== undefined) members.set(path, { path, size, sha256 })
  }
  return members
}

/**
 * Digests of what is on the medium, not of what memory remembers (reliability 7, rule 12): past the page cache where the file
 * system lets us, and else it is said that it was not.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  allocateShared,
  createPathHasher,
  describeTree,
  loadPathFunctions,
  type PathDigests,
  type PathFunction,
  type TreeMember,
} from '@arriero/transfer'
import { diskTrouble } from './trouble.ts'

export type Medium = 'medium' | 'cache'

export interface ReadBack {
  readonly size: number
  readonly digests: PathDigests
  /** Of the bytes; of a tree, of its canonical manifest. */
  readonly sha256: string
  readonly medium: Medium
  /** Path below the item, empty for the item itself; bytes; digest. */
  readonly members: readonly (readonly [path: string, size: number, sha256: string])[]
}

export interface ReadBackItem {
  readonly kind: 'file' | 'tree'
  /** Below the item; of a file, the empty path. */
  readonly files: readonly string[]
  readonly directories: readonly string[]
}

/** Page-aligned, as O_DIRECT wants it. */
const CHUNK = 4 << 20

/** One for each that reads at the same time. */
export function readBackBuffer(): Uint8Array {
  return new Uint8Array(allocateShared(CHUNK))
}

export async function readBack(
  path: string,
  item: ReadBackItem,
  functions: readonly PathFunction[],
  buffer: Uint8Array,
  signal: AbortSignal,
): Promise<ReadBack> {
  const all = [...new Set<PathFunction>([...functions, 'sha256'])]
  await loadPathFunctions(all)
  let medium: Medium = 'medium'
  const members: TreeMember[] = item.directories.map(each => ({ path: each, type: 'directory' }))
  const read: { path: string; size: number; digests: PathDigests }[] = []
  for (const file of item.files) {
    const found = await readOne(file === '' ? path : join(path, file), all, buffer, signal)
    if (found.medium === 'cache') medium = 'cache'
    read.push({ path: file, size: found.size, digests: found.digests })
  }
  const listed = read.map(each => [each.path, each.size, each.digests.sha256 ?? ''] as const)
  const [only] = read
  if (item.kind === 'file' && only) {
    return { size: only.size, digests: only.digests, sha256: only.digests.sha256 ?? '', medium, members: listed }
  }
  for (const each of read) members.push({ ...each, type: 'file' })
  const { size, digests, sha256 } = describeTree(members, all)
  return { size, digests, sha256, medium, members: listed }
}

async function readOne(path: string, functions: readonly PathFunction[], buffer: Uint8Array, signal: AbortSignal) {
  const direct = constants.O_DIRECT
  try {
    if (direct !== undefined) {
      const found = await digestWith(path, direct, functions, buffer, signal)
      if (found) return { ...found, medium: 'medium' as const }
    }
    const found = await digestWith(path, 0, functions, buffer, signal)
    if (found) return { ...found, medium: 'cache' as const }
  } catch (error) {
    signal.throwIfAborted()
    throw diskTrouble(error, 'read back', path)
  }
  throw diskTrouble(new Error('it cannot be read'), 'read back', path)
}

/** Undefined: this file system reads not so. */
async function digestWith(
  path: string,
  flag: number,
  functions: readonly PathFunction[],
  buffer: Uint8Array,
  signal: AbortSignal,
): Promise<{ size: number; digests: PathDigests } | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | flag)
  } catch (error) {
    if (flag !== 0 && isRefused(error)) return undefined
    throw error
  }
  try {
    const hasher = createPathHasher(functions)
    const { size } = await handle.stat()
    let at = 0
    while (at < size) {
      signal.throwIfAborted()
      // The whole buffer is asked for even at the end: only whole blocks are read so.
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) break
      hasher.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
    return { size: at, digests: hasher.digests() }
  } catch (error) {
    if (flag !== 0 && isRefused(error)) return undefined
    throw error
  } finally {
    await handle.close()
  }
}

function isRefused(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EINVAL' || code === 'ENOTSUP' || code === 'EOPNOTSUPP'
}

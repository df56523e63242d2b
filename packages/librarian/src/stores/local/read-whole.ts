/** Whole small files, read together: what a thread does in microseconds takes a round of promises each elsewhere. */
import { readSync } from 'node:fs'
import { allocateShared } from '@arriero/transfer/paths'
import type { Whole } from '../store.ts'
import type { Context } from './context.ts'
import { DIRECT_FROM, wholeBlocks } from './direct.ts'
import { Parents } from './parents.ts'
import { fingerprintOf, openToRead } from './read-file.ts'
import type { Tasks } from './task.ts'

/** Null for each that is not there, is of another size, or cannot be read: whoever opens it by itself learns why. */
export function readWhole({ wanted, room }: Tasks['readWhole']['ask'], context: Context): (Whole | null)[] {
  using parents = new Parents(context)
  // Shared, so that it crosses threads without being copied.
  const memory = new Uint8Array(room ?? allocateShared(wanted.reduce((sum, { size }) => sum + wholeBlocks(size), 0)))
  let used = 0
  return wanted.map(({ name, size }) => {
    const at = size >= DIRECT_FROM ? wholeBlocks(used) : used
    used = at + size
    try {
      return readOne(name, size, memory.subarray(at), parents)
    } catch {
      return null
    }
  })
}

/** @param memory may be written beyond the file's end: what comes there is read after it */
function readOne(name: string, size: number, memory: Uint8Array, parents: Parents): Whole | null {
  const found = parents.find(name)
  if (!found || memory.length < size) return null
  const blocks = wholeBlocks(size)
  const isLarge = size >= DIRECT_FROM && memory.length >= blocks
  using file = openToRead(found.directory, found.leaf, isLarge)
  const { fd, stats, isDirect } = file
  if (!stats.isFile() || Number(stats.size) !== size) return null
  const asked = isDirect ? blocks : size
  for (let at = 0; at < size; ) {
    const count = readSync(fd, memory, at, asked - at, at)
    if (count === 0) return null
    at += count
  }
  return { bytes: memory.subarray(0, size), fingerprint: fingerprintOf(stats) }
}

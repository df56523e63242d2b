/** Whole small files, read together: what a thread does in microseconds takes a round of promises each elsewhere. */
import { closeSync, readSync } from 'node:fs'
import { allocateShared } from '@arriero/transfer/paths'
import type { Whole } from '../store.ts'
import type { Context } from './context.ts'
import { Parents } from './parents.ts'
import { fingerprintOf, openLeaf, statsOf } from './read-file.ts'
import type { Tasks } from './task.ts'

/** Null for each that is not there, is of another size, or cannot be read: whoever opens it by itself learns why. */
export function readWhole({ wanted, room }: Tasks['readWhole']['ask'], context: Context): (Whole | null)[] {
  using parents = new Parents(context)
  // Shared, so that it crosses threads without being copied.
  const memory = new Uint8Array(room ?? allocateShared(wanted.reduce((sum, { size }) => sum + size, 0)))
  let used = 0
  return wanted.map(({ name, size }) => {
    const bytes = memory.subarray(used, used + size)
    used += size
    try {
      return readOne(name, bytes, parents)
    } catch {
      return null
    }
  })
}

function readOne(name: string, bytes: Uint8Array, parents: Parents): Whole | null {
  const found = parents.find(name)
  if (!found) return null
  const fd = openLeaf(found.directory, found.leaf)
  try {
    const stats = statsOf(fd)
    if (!stats.isFile() || Number(stats.size) !== bytes.length) return null
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(fd, bytes, at, bytes.length - at, at)
      if (count === 0) return null
      at += count
    }
    return { bytes, fingerprint: fingerprintOf(stats) }
  } finally {
    closeSync(fd)
  }
}

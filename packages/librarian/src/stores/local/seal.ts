/** What lies under a name since somebody else's time becomes content that is committed: by its modes alone. */
import { closeSync, readdirSync } from 'node:fs'
import type { Stat } from '../store.ts'
import type { Context } from './context.ts'
import { fingerprintAt } from './describe.ts'
import { finishFile, own } from './finish-file.ts'
import type { Held } from './held.ts'
import { Parents } from './parents.ts'
import { openLeaf } from './read-file.ts'

/** Null: nothing, or what no store keeps. A tree's top is last, so that one that was interrupted is sealed again. */
export function seal(name: string, context: Context): Stat | null {
  using parents = new Parents(context)
  const found = parents.find(name)
  const met = found?.directory.look(found.leaf)
  if (!found || !(met?.isFile() || met?.isDirectory())) return null
  const kind = met.isFile() ? 'file' : 'tree'
  sealEntry(found.directory, found.leaf, context)
  context.durability.path(found.directory.at('.'))
  return { kind, size: kind === 'file' ? met.size : 0, fingerprint: fingerprintAt(found.directory, found.leaf) }
}

/** Links and the like stay as they are: reading them tells what they are (C2). */
function sealEntry(directory: Held, leaf: string, context: Context): void {
  const met = directory.look(leaf)
  if (met?.isFile()) {
    const fd = openLeaf(directory, leaf)
    try {
      finishFile(fd, context)
    } finally {
      closeSync(fd)
    }
  }
  if (!met?.isDirectory()) return
  using inside = directory.enter(leaf)
  for (const name of readdirSync(inside.path)) sealEntry(inside, name, context)
  own(inside.fd, context.modes.owner)
  inside.setMode(context.modes.directory)
}

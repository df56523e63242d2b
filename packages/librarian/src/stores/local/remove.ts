/** Trash, and back (reliability B2). Only the deletion gate asks for these. */
import { linkSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { fileExists, notFound, notInTrash } from '../refusals.ts'
import type { Context } from './context.ts'
import { Held } from './held.ts'
import { checkId } from './layout.ts'
import { isCommittedTree } from './modes.ts'
import { Parents, parentOf } from './parents.ts'
import { moveTree } from './publish.ts'
import { removeAll } from './remove-tree.ts'
import { codeOf } from './system-error.ts'

export function trash(name: string, id: string, context: Context): null {
  using place = Held.place(context.layout.trash)
  using parents = new Parents(context)
  const found = parents.find(name)
  const met = found?.directory.look(found.leaf)
  if (!found || !met) {
    if (place.look(checkId(id))) return null
    throw notFound(name)
  }
  moveIn(found.directory, found.leaf, place, checkId(id), context)
  parents.touch(found.above)
  throwFirst(parents.sync())
  removeHollow(found.above, parents)
  return null
}

/** A file gets its name in the trash durably before it loses the other: at no instant, and after no power cut, has it none. */
function moveIn(from: Held, leaf: string, to: Held, name: string, { durability }: Context): void {
  if (from.look(leaf)!.isDirectory()) {
    if (to.look(name)) throw Object.assign(new Error(`${name} is taken`), { code: 'EEXIST' })
    moveTree(from, leaf, to, name)
    durability.path(to.at('.'))
    return
  }
  link(from, leaf, to, name)
  durability.path(to.at('.'))
  unlinkSync(from.at(leaf))
}

/** A name that is there already, of the same inode, is what an earlier attempt has left. */
function link(from: Held, leaf: string, to: Held, name: string): void {
  try {
    linkSync(from.at(leaf), to.at(name))
  } catch (error) {
    const [a, b] = [from.look(leaf), to.look(name)]
    if (codeOf(error) !== 'EEXIST' || !a || a.ino !== b?.ino) throw error
  }
}

export function restore(name: string, id: string, context: Context): null {
  using place = Held.place(context.layout.trash)
  using parents = new Parents(context)
  const { directory, leaf, above } = parents.of(name)
  const kept = place.look(checkId(id))
  const there = directory.look(leaf)
  if (!kept) {
    if (there) return completeRestore(directory, leaf, above, parents, context)
    throw notInTrash(name, id)
  }
  if (there && there.ino !== kept.ino) throw fileExists(name, 'it is taken')
  if (kept.isDirectory()) {
    moveTree(place, id, directory, leaf)
    closeTop(directory, leaf, context)
  } else {
    link(place, id, directory, leaf)
  }
  parents.touch(above)
  throwFirst(parents.sync())
  if (!kept.isDirectory()) unlinkSync(place.at(id))
  context.durability.path(place.at('.'))
  return null
}

/** It was moved, or never left; who did so may have been killed before its top was closed, or its name durable. */
function completeRestore(directory: Held, leaf: string, above: string, parents: Parents, context: Context): null {
  if (directory.look(leaf)?.isDirectory()) closeTop(directory, leaf, context)
  parents.touch(above)
  throwFirst(parents.sync())
  return null
}

function closeTop(directory: Held, leaf: string, { modes, durability }: Context): void {
  using top = directory.enter(leaf)
  top.setMode(modes.directory)
  durability.path(top.at('.'))
}

export function purge(id: string, { layout, durability }: Context): null {
  for (const path of [layout.trash, layout.quarantine]) {
    using place = Held.place(path)
    if (!place.look(checkId(id))) continue
    removeAll(place, id)
    durability.path(place.at('.'))
  }
  return null
}

export function discard(copies: readonly string[], { layout }: Context): null {
  using work = Held.place(layout.work)
  for (const copy of copies) removeAll(work, copy)
  return null
}

/** Directories that only led to what was removed. A committed tree with nothing in it stays. */
function removeHollow(above: string, parents: Parents): void {
  for (let at = above; at !== ''; at = parentOf(at)) {
    const found = parents.find(at)
    if (!found) return
    try {
      using inside = found.directory.enter(found.leaf)
      if (isCommittedTree(inside.stats().mode) || readdirSync(inside.path).length > 0) return
      parents.forget(at)
      rmdirSync(found.directory.at(found.leaf))
    } catch {
      // Somebody put something there meanwhile.
      return
    }
  }
}

function throwFirst(failures: ReadonlyMap<string, unknown>): void {
  for (const failure of failures.values()) throw failure
}

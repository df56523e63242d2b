/** Staging directories at the disk: made, emptied, used again. */
import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { answerOf, type Context } from './context.ts'
import { Held } from './held.ts'
import { isUuid } from './layout.ts'
import { removeAll } from './remove-tree.ts'
import type { Answer, DirectoryLook, Tasks } from './task.ts'

/** A directory that is there already stays as it is. */
export function openStaging(
  { ids, spares, mode }: Tasks['openStaging']['ask'],
  { layout }: Context,
): Answer<DirectoryLook>[] {
  using staging = Held.place(layout.staging)
  using spare = spares.length > 0 ? placeIfThere(layout.spare) : undefined
  const left = [...spares]
  // All that are made by one process look alike, those that are used again too: nothing else is kept.
  let look: DirectoryLook | undefined
  return ids.map(id =>
    answerOf('make the staging directory', id, () => {
      checkUuid(id)
      if (staging.look(id)?.isDirectory()) return lookOf(staging, id)
      if (!reuse(left, spare, staging, id)) make(staging, id, mode)
      look ??= lookOf(staging, id)
      return look
    }),
  )
}

/** Resolves, for each, to whether it was kept for another upload. */
export function removeStaging(
  { ids, room, like }: Tasks['removeStaging']['ask'],
  { layout }: Context,
): Answer<boolean>[] {
  using staging = Held.place(layout.staging)
  using spare = room > 0 && like ? placeIfThere(layout.spare) : undefined
  let kept = 0
  return ids.map(id =>
    answerOf('remove the staging directory', id, () => {
      checkUuid(id)
      const isKept = spare !== undefined && kept < room && keep(staging, id, spare, like!)
      if (isKept) kept++
      else removeAll(staging, id)
      return isKept
    }),
  )
}

function make(staging: Held, id: string, mode: number | undefined): void {
  if (mode === undefined) mkdirSync(staging.at(id))
  else staging.make(id, mode).directory[Symbol.dispose]()
}

function reuse(left: string[], spare: Held | undefined, staging: Held, id: string): boolean {
  for (let name = left.pop(); spare && name !== undefined; name = left.pop()) {
    try {
      // Whoever had it open before may have put something in. What is private need not be held open to be looked into.
      if (readdirSync(spare.at(name)).length > 0) continue
      renameSync(spare.at(name), staging.at(id))
      return true
    } catch {
      // Another process has it, or it cannot be had: a new one will do.
    }
  }
  return false
}

/** Only what still looks as we make them. */
function keep(staging: Held, id: string, spare: Held, like: DirectoryLook): boolean {
  try {
    using inside = staging.enter(id)
    const { mode, uid, gid } = inside.stats()
    // Who can write in one may have stayed in it: what others can write in is never handed on.
    if ((mode & 0o022) !== 0) return false
    if (mode !== like.mode || uid !== like.uid || gid !== like.gid) return false
    for (const name of readdirSync(inside.path, { encoding: 'buffer' })) removeAll(inside, name)
    renameSync(staging.at(id), spare.at(id))
    return true
  } catch {
    // Gone, no directory, on another disk than the spare ones: whoever removes it says what is wrong.
    return false
  }
}

function lookOf(staging: Held, id: string): DirectoryLook {
  const { mode, uid, gid } = staging.look(id)!
  return { mode, uid, gid }
}

function placeIfThere(path: string): Held | undefined {
  try {
    return Held.place(path)
  } catch {
    return undefined
  }
}

function checkUuid(id: string): void {
  if (isUuid(id)) return
  throw new RangeError(`Cannot use ${JSON.stringify(id)}: a staging directory is named by a UUID`)
}

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Context, refused } from './context.ts'
import { Held } from './held.ts'
import { removeAll } from './remove-tree.ts'
import { syncAll } from './sync-all.ts'
import { systemError } from './system-error.ts'
import type { Answer, Taken } from './task.ts'

type Copy = Pick<Taken, 'copy' | 'kind'>

/** Makes private copies durable, all of them with one barrier; a copy whose sync failed is condemned and removed. */
export function secure(copies: readonly Copy[], { layout, durability }: Context): Answer<null>[] {
  const paths = new Map(copies.map(copy => [copy, copy.kind === 'file' ? [join(layout.work, copy.copy)] : undefined]))
  const all = copies.flatMap(copy => paths.get(copy) ?? treePaths(join(layout.work, copy.copy)))
  const failures = syncAll([...all, layout.work], layout.work, durability)
  return copies.map(({ copy }) => {
    const top = join(layout.work, copy)
    const failure = [...failures].find(([path]) => path === top || path === layout.work || path.startsWith(`${top}/`))
    if (!failure) return { ok: true, value: null }
    using work = Held.place(layout.work)
    removeAll(work, copy)
    return refused(systemError(failure[1], 'sync', copy))
  })
}

/** Everything of a private tree, what is inside before what it is in. Nobody else can change it. */
function treePaths(top: string): string[] {
  const inside = readdirSync(top, { withFileTypes: true }).flatMap(entry => {
    const path = join(top, entry.name)
    return entry.isDirectory() ? treePaths(path) : [path]
  })
  return [...inside, top]
}

/**
 * One item of a batch, which may have been begun before.
 *
 *     whole under its final name    left alone
 *     a file                        temporary beside it → final name
 *     a tree                        temporary tree beside it, or the one that was left; its missing files; renamed
 */
import { lstat, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskError } from '../../disk-error.ts'
import type { MethodItem } from '../../method.ts'
import { isThere, makeDirectory, type Parents } from '../local-target.ts'
import { checkSize, walkSource } from '../source-item.ts'
import { copyFile } from './copy-file.ts'
import type { Leftovers } from './leftovers.ts'

export interface CopyContext {
  readonly parents: Parents
  readonly leftovers: Leftovers
  readonly signal?: AbortSignal | undefined
  readonly onBytes: (bytes: number) => void
}

export async function copyItem(item: MethodItem, context: CopyContext): Promise<void> {
  const { source, target, size } = item
  const group = await context.parents.make(dirname(target))
  if (await isThere(item)) return context.onBytes(size)
  const adopted = await context.leftovers.adopt(target)
  if (item.isTree) return copyTree(item, group, adopted, context)
  const temporary = context.leftovers.nameFor(target)
  await copyFile({ ...context, source, target, temporary, size, group })
}

async function copyTree(item: MethodItem, group: number, adopted: string | undefined, context: CopyContext) {
  const { source, target, size } = item
  const { leftovers, signal } = context
  const { entries, checkUnchanged } = await walkSource(source, signal)
  const place = adopted ?? leftovers.nameFor(target)
  await makeDirectory(place, group)
  let total = 0
  for (const { path, type } of entries) {
    signal?.throwIfAborted()
    const to = join(place, path)
    if (type === 'directory') await makeDirectory(to, group)
    else total += await copyMember({ source: join(source, path), to, target }, group, context)
  }
  await checkUnchanged()
  checkSize(source, total, size)
  await rename(place, target).catch(error => {
    throw diskError(error, 'copy to', target)
  })
}

interface Member {
  readonly source: string
  /** In the temporary tree. */
  readonly to: string
  /** The tree's. Temporaries lie beside it and never in it, so that none is published with it. */
  readonly target: string
}

async function copyMember({ source, to, target }: Member, group: number, context: CopyContext): Promise<number> {
  const there = await lstat(to).catch(() => undefined)
  const wanted = there && (await lstat(source).catch(() => undefined))
  if (there?.isFile() && there.size === wanted?.size) {
    context.onBytes(there.size)
    return there.size
  }
  return copyFile({ ...context, source, target: to, temporary: context.leftovers.nameFor(target), group })
}

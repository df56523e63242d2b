/**
 * Puts the private copy in the place of what others wrote under the name (reliability A5, 7.9): they may hold that open, and
 * no change of its mode would end that.
 */
import { renameSync } from 'node:fs'
import { fileExists, notPrepared, unacceptable } from '../refusals.ts'
import type { Published } from '../store.ts'
import type { Context } from './context.ts'
import { fingerprintAt } from './describe.ts'
import { Held } from './held.ts'
import { Parents } from './parents.ts'
import { closeTree, findCopy, giveName, isContentOf, moveTree } from './publish.ts'
import { removeAll } from './remove-tree.ts'
import { codeOf, systemError } from './system-error.ts'
import type { PublishJob } from './task.ts'

export function adopt(job: PublishJob, context: Context): Published {
  using work = Held.place(context.layout.work)
  using quarantine = Held.place(context.layout.quarantine)
  using parents = new Parents(context)
  const { directory, leaf, above } = parents.of(job.name)
  const isThere = directory.look(leaf) !== undefined
  if (isThere && !isContentOf(job, directory, leaf, context)) {
    throw fileExists(job.name, 'it was changed after it was read')
  }
  const copy = findCopy(job, work, context)
  // Without one it was done before.
  if (copy === undefined && !isThere) throw notPrepared(job.id, job.name)
  if (copy !== undefined && isThere) takeOver(job, copy, { directory, leaf, work, quarantine })
  if (copy !== undefined && !isThere) giveName(job, copy, work, parents)
  parents.touch(above)
  context.durability.path(work.at('.'))
  for (const [, failure] of parents.sync()) throw systemError(failure, 'sync the directory of', job.name)
  // Its bytes have the name, durably: what was read and compared is no longer needed.
  removeAll(quarantine, job.id)
  for (const left of job.copies) removeAll(work, left)
  if (job.kind === 'tree') closeTree(directory, leaf, context)
  return { path: `${context.layout.root}/${job.name}`, fingerprint: fingerprintAt(directory, leaf) }
}

interface Places {
  readonly directory: Held
  readonly leaf: string
  readonly work: Held
  readonly quarantine: Held
}

/** A file's name is never without one of the two; a tree must go aside first. */
function takeOver(job: PublishJob, copy: string, { directory, leaf, work, quarantine }: Places): void {
  try {
    if (job.kind === 'tree') moveTree(directory, leaf, quarantine, job.id)
    try {
      renameSync(work.at(copy), directory.at(leaf))
    } catch (error) {
      if (job.kind === 'tree') renameSync(quarantine.at(job.id), directory.at(leaf))
      throw error
    }
  } catch (error) {
    const code = codeOf(error)
    if (code !== 'EPERM' && code !== 'EACCES') throw error
    throw unacceptable(job.name, 'the server must be allowed to replace it by a copy of its own', `it is not (${code})`)
  }
}

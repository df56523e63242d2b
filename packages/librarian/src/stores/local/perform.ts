import { loadPathFunctions, type PathFunction, printable } from '@arriero/transfer/paths'
import { Challenge } from '../challenge.ts'
import type { Reading, Stat, WorkState } from '../store.ts'
import { functionsFor, inFormOf } from '../wire-checksum.ts'
import { adopt } from './adopt.ts'
import { answerOf, type Context } from './context.ts'
import { describe, fingerprintAt, Strange } from './describe.ts'
import { describeInOrder } from './describe-in-order.ts'
import { Held } from './held.ts'
import { checkId } from './layout.ts'
import { Parents } from './parents.ts'
import { findCopy, isContentOf, publish, replace } from './publish.ts'
import { Stopped } from './read-file.ts'
import { readWhole } from './read-whole.ts'
import { discard, purge, restore, trash } from './remove.ts'
import { seal } from './seal.ts'
import { secure } from './secure.ts'
import { openStaging, removeStaging } from './staging.ts'
import { codeOf } from './system-error.ts'
import { takeAll } from './take.ts'
import type { Answer, ExamineJob, PublishJob, TaskKind, Tasks } from './task.ts'

/** Does one task. Synchronous calls throughout: on a thread of its own that is several times cheaper than promises. */
export async function perform<Kind extends TaskKind>(
  kind: Kind,
  ask: Tasks[Kind]['ask'],
  context: Context,
): Promise<Tasks[Kind]['answer']> {
  await loadPathFunctions(functionsIn(kind, ask))
  return performers[kind](ask, context)
}

type Performers = { readonly [Kind in TaskKind]: (ask: Tasks[Kind]['ask'], context: Context) => Tasks[Kind]['answer'] }

const performers: Performers = {
  take: takeAll,
  secure,
  publish,
  adopt,
  replace,
  inspect,
  discard,
  stat: statName,
  seal,
  readWhole,
  examine: examineAll,
  trash: ({ name, id }, context) => trash(name, id, context),
  restore: ({ name, id }, context) => restore(name, id, context),
  purge,
  openStaging,
  removeStaging,
}

function functionsIn(kind: TaskKind, ask: unknown): readonly PathFunction[] {
  if (kind === 'take') return (ask as Tasks['take']['ask']).flatMap(({ checksum }) => functionsFor(checksum))
  if (kind === 'examine') {
    return (ask as Tasks['examine']['ask']).flatMap(({ checksum }) => functionsFor(checksum))
  }
  return ['sha256']
}

function inspect(job: PublishJob, context: Context): WorkState {
  using parents = new Parents(context)
  using work = Held.place(context.layout.work)
  const found = parents.find(job.name)
  const met = found?.directory.look(found.leaf)
  if (found && met) {
    if (isContentOf(job, found.directory, found.leaf, context)) return 'published'
    if (!parents.isHollow(job.name)) return 'foreign'
  } else if (parents.isBarred(job.name)) return 'foreign'
  return findCopy({ ...job, isKnown: false }, work, context) === undefined ? 'absent' : 'prepared'
}

function statName(name: string, context: Context): Stat | null {
  using parents = new Parents(context)
  const found = parents.find(name)
  const met = found?.directory.look(found.leaf)
  if (!found || !met || parents.isParent(name)) return null
  if (!met.isFile() && !met.isDirectory()) return null
  const kind = met.isFile() ? 'file' : 'tree'
  return { kind, size: kind === 'file' ? met.size : 0, fingerprint: fingerprintAt(found.directory, found.leaf) }
}

function examineAll(jobs: readonly ExamineJob[], context: Context): Answer<Reading>[] {
  using parents = new Parents(context)
  return jobs.map(job => answerOf('read', job.name, () => examine(job, parents, context)))
}

function examine(job: ExamineJob, parents: Parents, context: Context): Reading {
  if (job.trashId === undefined) return examineAt(job, parents.find(job.name), context)
  using directory = Held.place(context.layout.trash)
  return examineAt(job, { directory, leaf: checkId(job.trashId) }, context)
}

function examineAt(
  { name, checksum, isDirect, nonces }: ExamineJob,
  found: { readonly directory: Held; readonly leaf: string } | undefined,
  context: Context,
): Reading {
  if (!found) return nothingUnder(name)
  try {
    const functions = functionsFor(checksum)
    const challenge = nonces && new Challenge(nonces)
    const {
      kind: _,
      digests,
      isDirect: wasDirect,
      ...rest
    } = challenge && found.directory.look(found.leaf)?.isDirectory()
      ? describeInOrder(found.directory, found.leaf, { functions, isDirect, challenge }, context)
      : describe(found.directory, found.leaf, { functions, isDirect, challenge }, context)
    const told = { ...rest, checksum: inFormOf(checksum, digests), answers: challenge?.answers() ?? [] }
    return { outcome: 'read', ...told, medium: wasDirect ? 'medium' : 'cache' }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !found.directory.look(found.leaf)) return nothingUnder(name)
    return findingOf(error, name)
  }
}

function nothingUnder(name: string): Reading {
  return { outcome: 'missing', reason: `there is nothing under ${name}` }
}

/** Bad bytes are a finding; a thread that ran out of descriptors has found nothing (C2). */
function findingOf(error: unknown, name: string): Reading {
  if (error instanceof Stopped) throw error
  const { member } = error as { member?: string }
  const where = member === undefined ? name : printable(`${name}/${member}`)
  const code = codeOf(error)
  if (error instanceof Strange) return { outcome: 'unreadable', reason: `${name}: ${error.message}` }
  if (code === 'ENOENT') return { outcome: 'missing', reason: `${where} was removed while it was read` }
  if (code === 'ESTALE' || code === 'ENODEV' || code === 'ENOTCONN') {
    return { outcome: 'unavailable', reason: `${where}: ${code}` }
  }
  if (
    code === 'EIO' ||
    code === 'EBADMSG' ||
    code === 'EUCLEAN' ||
    code === 'EACCES' ||
    code === 'ELOOP' ||
    code === 'ENXIO'
  ) {
    return { outcome: 'unreadable', reason: `${where}: ${code}` }
  }
  throw error
}

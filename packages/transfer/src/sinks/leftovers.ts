/**
 * What an earlier run left of one target, and the right to go on with it (retrieval 12, "Ownership").
 *
 *     no journal               nothing is left (a NAME.part without our journal is somebody else's file)
 *     its owner lives          Locked
 *     its owner may live       another machine's, with a recent sign of life: use names of our own
 *     its owner is dead        NAME.part.claim, created exclusively, settles who of several takes over
 *
 * Advisory locks are not used: on some cluster file systems they succeed for everyone.
 */
import { randomBytes } from 'node:crypto'
import { open, stat, unlink } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import type { Block, Journal } from '../journal.ts'
import { lifeOf, STALE_MS } from '../owner.ts'
import { readJournal } from './journal-file.ts'

export interface Leftovers {
  /** Where to write; the earlier run's names, or our own when its owner is in doubt. */
  readonly partPath: string
  readonly journalPath: string
  /** Undefined: nothing to go on with. */
  readonly journal: Journal | undefined
  /** Blocks that were found to hold; set by who checks them. */
  sound: readonly Block[]
  /** The take-over is done: a journal of ours is in place. */
  release(): Promise<void>
  /** Removes what was left. */
  remove(): Promise<void>
}

/**
 * Looks beside `path`; undefined when there is nothing of ours.
 *
 * @param onlyOf hash of the URL whose leftovers are wanted; others are left alone
 */
export async function claimLeftovers(path: string, onlyOf?: string): Promise<Leftovers | undefined> {
  const partPath = `${path}.part`
  const journalPath = `${partPath}.journal`
  const found = await readJournal(journalPath)
  if (onlyOf !== undefined && found?.journal?.header.uriHash !== onlyOf) return undefined
  if (!found) return (await exists(partPath)) ? ownNames(path) : undefined
  if (await isPublished(path, partPath)) {
    // Killed between publishing and tidying: going on would write into the published file.
    await unlink(partPath).catch(() => {})
    await unlink(journalPath).catch(() => {})
    return undefined
  }
  const { journal, beatAt } = found
  const age = Date.now() - beatAt
  const life = journal ? lifeOfJournal(journal) : age < STALE_MS ? 'unknown' : 'dead'
  if (life === 'alive') {
    const owner = `process ${journal?.header.owner.pid}`
    throw new TransferError('Locked', `Cannot fetch ${path}: ${owner} is fetching it`, { file: path, owner })
  }
  if (life === 'unknown' && Math.abs(age) < STALE_MS) return ownNames(path)
  const claimPath = `${partPath}.claim`
  if (!(await claim(claimPath))) return ownNames(path)
  const release = () => unlink(claimPath).catch(() => {})
  return {
    partPath,
    journalPath,
    journal,
    sound: [],
    release,
    remove: async () => {
      await unlink(partPath).catch(() => {})
      await unlink(journalPath).catch(() => {})
      await release()
    },
  }
}

function lifeOfJournal({ header, isLeft }: Journal): ReturnType<typeof lifeOf> {
  return isLeft ? 'dead' : lifeOf(header.owner)
}

/** Names that nobody else can be using. */
function ownNames(path: string): Leftovers {
  const partPath = `${path}.${randomBytes(6).toString('hex')}.part`
  const nothing = async () => {}
  return {
    partPath,
    journalPath: `${partPath}.journal`,
    journal: undefined,
    sound: [],
    release: nothing,
    remove: nothing,
  }
}

/** True for exactly one process; a claim that was never released expires. */
async function claim(path: string): Promise<boolean> {
  for (const isLastTry of [false, true]) {
    try {
      await (await open(path, 'wx')).close()
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(error, 'create', path)
    }
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now())
    if (isLastTry || Math.abs(age) < STALE_MS) return false
    await unlink(path).catch(() => {})
  }
  return false
}

async function isPublished(path: string, partPath: string): Promise<boolean> {
  const [final, part] = await Promise.all([path, partPath].map(name => stat(name).catch(() => undefined)))
  return final !== undefined && part !== undefined && final.ino === part.ino && final.dev === part.dev
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

/**
 * What an earlier run left of one target, and the right to begin or to go on (retrieval 12, "Ownership").
 *
 *     no journal               nothing is left (a NAME.part without our journal is somebody else's file)
 *     its owner lives          Locked
 *     its owner may live       another machine's, with a recent sign of life: use names of our own
 *     its owner is dead        NAME.part.claim settles who of several takes over
 *
 * The claim is held while a journal is made, judged or removed: a journal whose first line is torn has a dead maker.
 * Advisory locks are not used: on some cluster file systems they succeed for everyone.
 */
import { randomBytes } from 'node:crypto'
import { lstat, stat, unlink } from 'node:fs/promises'
import { TransferError } from '../errors.ts'
import type { Block, Journal } from '../journal.ts'
import { lifeOf, STALE_MS } from '../owner.ts'
import { takeClaim } from './claim.ts'
import { type FoundJournal, readJournal } from './journal-file.ts'
import { partPathOf } from './part-path.ts'

export interface Leftovers {
  /** Where to write; the earlier run's names, or our own when its owner is in doubt. */
  readonly partPath: string
  readonly journalPath: string
  /** Undefined: nothing to go on with. */
  readonly journal: Journal | undefined
  /** Blocks that were found to hold; set by who checks them. */
  sound: readonly Block[]
  /** Removes what was left; the names stay ours. Does nothing once they are released. */
  clear(): Promise<void>
  /** A journal of ours is in place, or nothing is. May be called twice. */
  release(): Promise<void>
}

/**
 * Looks beside `path`; undefined when there is nothing of ours.
 *
 * @param onlyOf hash of the URL whose leftovers are wanted; others are left alone
 * @throws TransferError Locked when another process is at it
 */
export async function claimLeftovers(path: string, onlyOf?: string): Promise<Leftovers | undefined> {
  const partPath = partPathOf(path)
  const found = await readJournal(`${partPath}.journal`)
  if (onlyOf !== undefined && found?.journal?.header.uriHash !== onlyOf) return undefined
  const isThere = found || (await exists(`${partPath}.claim`)) || (await exists(partPath))
  return isThere ? claimTarget(path) : undefined
}

/**
 * The right to begin `path`, with what an earlier run left, if anything.
 *
 * @throws TransferError Locked when another process is at it
 */
export async function claimTarget(path: string): Promise<Leftovers> {
  const partPath = partPathOf(path)
  const journalPath = `${partPath}.journal`
  for (;;) {
    const found = await readJournal(journalPath)
    const life = found ? lifeOfJournal(found) : 'dead'
    if (life === 'alive') throw locked(path, `process ${found?.journal?.header.owner.pid}`)
    if (life === 'unknown' || (!found && (await exists(partPath)))) return ownNames(path)
    const claim = await takeClaim(`${partPath}.claim`)
    if (claim === 'held') throw locked(path, 'another process')
    if (claim === 'in doubt') return ownNames(path)
    let isReleased = false
    const release = () => {
      isReleased = true
      return claim.release()
    }
    const clear = async () => {
      if (isReleased) return
      // In this order: a NAME.part without a journal would be taken for somebody else's.
      await unlinkIfThere(partPath)
      await unlinkIfThere(`${journalPath}.new`)
      await unlinkIfThere(journalPath)
    }
    try {
      if (tokenOf(await readJournal(journalPath)) === tokenOf(found)) {
        const leftovers = { partPath, journalPath, sound: [], clear, release }
        if (!found || !(await isPublished(path, partPath))) return { ...leftovers, journal: found?.journal }
        // Killed between publishing and tidying: going on would write into the published file.
        await clear()
        return { ...leftovers, journal: undefined }
      }
    } catch (error) {
      await release()
      throw error
    }
    // Somebody took it over after we looked and before we claimed: look again.
    await release()
  }
}

/** After what is there was found to be complete: removes what a dead owner left beside it, and nothing else. */
export async function tidyLeftovers(path: string): Promise<void> {
  const leftovers = await claimLeftovers(path)
  if (!leftovers) return
  await leftovers.clear().finally(() => leftovers.release())
}

function lifeOfJournal({ journal, beatAt, isTorn }: FoundJournal): ReturnType<typeof lifeOf> {
  if (isTorn || journal?.isLeft) return 'dead'
  const life = journal ? lifeOf(journal.header.owner) : 'unknown'
  return life === 'unknown' && Math.abs(Date.now() - beatAt) >= STALE_MS ? 'dead' : life
}

/** Tells one owner's journal from the next one's; undefined when there is none. */
function tokenOf(found: FoundJournal | undefined): string | undefined {
  return found && (found.journal?.header.owner.token ?? '')
}

/** Names that nobody else can be using. */
function ownNames(path: string): Leftovers {
  const partPath = partPathOf(path, randomBytes(6).toString('hex'))
  const nothing = async () => {}
  return {
    partPath,
    journalPath: `${partPath}.journal`,
    journal: undefined,
    sound: [],
    clear: nothing,
    release: nothing,
  }
}

function locked(path: string, owner: string): TransferError {
  return new TransferError('Locked', `Cannot fetch ${path}: ${owner} is fetching it`, { file: path, owner })
}

async function isPublished(path: string, partPath: string): Promise<boolean> {
  const [final, part] = await Promise.all([path, partPath].map(name => stat(name).catch(() => undefined)))
  // A second name may be one with a number, which ifExists `rename` gave.
  return part !== undefined && (part.nlink > 1 || (part.ino === final?.ino && part.dev === final.dev))
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch(() => {})
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

/**
 * The right to begin, take over or tidy up one target (retrieval 12, "Ownership").
 *
 *     NAME.part.claim      held while a journal is made, judged or removed
 *     NAME.part.claim.2    held by who found the owner of the first dead; and so on
 *
 * A claim is a symbolic link whose text names its owner: it is made exclusively and with its text in one call, so that
 * nobody ever reads half of it, and who finds its owner dead need not wait. A dead owner's claim is passed over, never
 * replaced: of two who find it dead, one might remove the other's.
 *
 * Does not promise that the state has not changed meanwhile: who gets a claim must look again.
 */
import { lstat, lutimes, open, readlink, symlink, unlink } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'
import { formatOwner, lifeOf, newOwner, parseOwner, STALE_MS } from '../owner.ts'

export interface Claim {
  /** May be called twice. */
  release(): Promise<void>
}

type Life = 'alive' | 'unknown' | 'dead' | 'gone'

/** How often a claim shows that its owner lives, ms: other machines cannot ask. */
const HEARTBEAT_MS = 15_000

/** `held`: its owner lives; `in doubt`: it may live, on another machine. */
export async function takeClaim(first: string): Promise<Claim | 'held' | 'in doubt'> {
  for (let number = 1; ; ) {
    const path = nameOf(first, number)
    if (await make(path)) {
      // Who held the one before this has released it meanwhile: then this one would not keep anybody off.
      if (number === 1 || (await lifeAt(nameOf(first, number - 1))) !== 'gone') return holding(first, number)
      await unlink(path).catch(() => {})
      number = 1
      continue
    }
    const life = await lifeAt(path)
    if (life === 'alive') return 'held'
    if (life === 'unknown') return 'in doubt'
    number = life === 'dead' ? number + 1 : 1
  }
}

function holding(first: string, number: number): Claim {
  const heartbeat = setInterval(() => {
    const now = new Date()
    void lutimes(nameOf(first, number), now, now).catch(() => {})
  }, HEARTBEAT_MS)
  heartbeat.unref()
  let isReleased = false
  return {
    async release() {
      if (isReleased) return
      isReleased = true
      clearInterval(heartbeat)
      // Ours last: while it is there, nobody passes.
      for (let above = number + 1; (await lifeAt(nameOf(first, above))) === 'dead'; above++) {
        await unlink(nameOf(first, above)).catch(() => {})
      }
      for (let at = 1; at <= number; at++) await unlink(nameOf(first, at)).catch(() => {})
    },
  }
}

function nameOf(first: string, number: number): string {
  return number === 1 ? first : `${first}.${number}`
}

/** False when the name is taken. */
async function make(path: string): Promise<boolean> {
  try {
    await symlink(formatOwner(newOwner()), path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error))) throw diskError(error, 'create', path)
  }
  // No symbolic links here (FAT): an empty file, of which only its age tells.
  try {
    await (await open(path, 'wx')).close()
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw diskError(error, 'create', path)
  }
}

async function lifeAt(path: string): Promise<Life> {
  try {
    const stats = await lstat(path)
    const owner = stats.isSymbolicLink() ? parseOwner(await readlink(path)) : undefined
    const life = owner ? lifeOf(owner) : 'unknown'
    return life === 'unknown' && Math.abs(Date.now() - stats.mtimeMs) >= STALE_MS ? 'dead' : life
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone'
    throw diskError(error, 'read', path)
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}

/** Whether a backup is worth anything: restored to a file of its own, opened as a catalogue is, and read in full (G3). */
import { constants } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import { type Backup, digestProblem } from './backup-directory.ts'

export interface RestoreAndCheckOptions {
  /** A file that nobody else uses; there while it runs. On a local disk, as a catalogue must be. */
  readonly scratch: string
  readonly openCopy: (path: string) => Promise<Catalogue>
  /** The one that it was made of. */
  readonly live: Pick<Catalogue, 'settings' | 'files'>
  /** Rejects where the server stops before what takes long has ended. */
  readonly unlessStopping: <T>(act: Promise<T>) => Promise<T>
}

/** Resolves to what is wrong, in words. */
export async function restoreAndCheck(backup: Backup, options: RestoreAndCheckOptions): Promise<string[]> {
  const { scratch, openCopy, live, unlessStopping } = options
  const wrong = await digestProblem(backup.path)
  if (wrong !== undefined) return [wrong]
  await removeScratch(scratch)
  try {
    await unlessStopping(copyFile(backup.path, scratch, constants.COPYFILE_FICLONE))
    await using copy = await openCopy(scratch)
    return [
      ...(await unlessStopping(copy.check())),
      ...(await unlessStopping(brokenAudit(copy))),
      ...(await compare(copy, live)),
    ]
  } finally {
    await removeScratch(scratch)
  }
}

async function brokenAudit({ audit }: Catalogue): Promise<string[]> {
  for (let after: { id: number; hash: string } | undefined; ; ) {
    const { checked, next, broken } = await audit.verify({ after })
    if (broken) return [`entry ${broken.id} of its audit ${broken.why}`]
    if (checked === 0 || !next) return []
    after = next
  }
}

/** Files are never forgotten, so that a copy of an earlier state has as many at most. */
async function compare(copy: Catalogue, live: RestoreAndCheckOptions['live']): Promise<string[]> {
  const problems: string[] = []
  const [theirs, ours] = [await copy.settings.get({ key: 'uuid' }), await live.settings.get({ key: 'uuid' })]
  if (theirs !== ours) problems.push('it is of another catalogue')
  const [kept, now] = [await copy.files.count({}), await live.files.count({})]
  if (kept > now) problems.push(`it has ${kept} files, and the catalogue only ${now}`)
  return problems
}

export async function removeScratch(scratch: string): Promise<void> {
  for (const ending of ['', '-wal', '-shm', '.owner', '.owner-wal', '.owner-shm', '.owner-journal']) {
    await rm(`${scratch}${ending}`, { force: true })
  }
}

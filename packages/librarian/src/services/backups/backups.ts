/**
 * Backups of a catalogue in a file: made every hour while work goes on, restored and read in full every day, and the
 * catalogue itself read in full every week (reliability G3, 8.4). What was done when is kept beside the backups.
 */
import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Clock } from '../../clock.ts'
import type { BackupSettings } from '../../config.ts'
import type { Log } from '../../log.ts'
import type { Alarms } from '../alarms.ts'
import {
  type Backup,
  type Checks,
  listBackups,
  makeBackupDirectory,
  readChecks,
  removeBackup,
  removeTorn,
  writeChecks,
  writeDigest,
} from './backup-directory.ts'
import { formatBackupName } from './backup-name.ts'
import { type BackupState, describeBackups } from './describe-backups.ts'
import { removeScratch, restoreAndCheck } from './restore-and-check.ts'

export interface Backups {
  /** Whatever is due: a backup, a check of the newest one, a check of the catalogue. What fails is an alarm, and tried again. */
  look(): Promise<void>
  /** `look` again and again, until the signal. */
  work(signal: AbortSignal): Promise<void>
  /** As it was at the last look. */
  state(): BackupState | undefined
}

export interface BackupsOptions {
  readonly settings: BackupSettings
  /** Of the catalogue. */
  readonly path: string
  readonly catalogue: Pick<Catalogue, 'backup' | 'check' | 'settings' | 'files'>
  readonly openCopy: (path: string) => Promise<Catalogue>
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
}

/** After a failure, at least so long until the next attempt: a full disk is not written to all the time. */
const RETRY_MS = 600_000
const LOOK_MS = 60_000

export function createBackups(options: BackupsOptions): Backups {
  const { settings, path, catalogue, alarms, clock, log } = options
  const { directory, isChosen, everyMs, keep } = settings
  const scratch = `${path}.restored`
  const notBefore = new Map<string, number>()
  let id: string | undefined
  let state: BackupState | undefined
  let isStopping = false
  const stopping = Promise.withResolvers<never>()
  stopping.promise.catch(() => {})
  /** For what may take longer than a stop may: it is given up then, and done after the next start. */
  const unlessStopping = <T>(act: Promise<T>): Promise<T> => Promise.race([act, stopping.promise])

  async function look(): Promise<void> {
    await attempt('back up the catalogue', async () => {
      const known = await listBackups(directory, await ownId())
      if (everyMs !== undefined && isDue(known[0]?.time, everyMs)) await backUp()
    })
    await attempt('check the newest backup of the catalogue', checkNewest)
    await attempt('check the catalogue', checkCatalogue)
    await attempt('look after the backups of the catalogue', async () => {
      state = await describeBackups(settings, clock, await ownId())
    })
  }

  /** One that fails keeps the others from nothing. */
  async function attempt(what: string, act: () => Promise<void>): Promise<void> {
    if (isStopping || (notBefore.get(what) ?? Number.NEGATIVE_INFINITY) > clock.now()) return
    try {
      await act()
      notBefore.delete(what)
    } catch (error) {
      // What a stop has cut off is no failure: it is done after the next start.
      if (isStopping) return
      notBefore.set(what, clock.now() + Math.min(RETRY_MS, everyMs ?? RETRY_MS))
      const why = error instanceof Error ? error.message : String(error)
      await raise(why.startsWith('Cannot') ? why : `Cannot ${what}: ${why}`)
    }
  }

  async function raise(message: string): Promise<void> {
    await alarms.raise({ severity: 'error', category: 'data_availability', message, caller: 'backups' })
  }

  async function ownId(): Promise<string> {
    id ??= (await catalogue.settings.setOnce({ key: 'uuid', value: randomBytes(16).toString('hex') })).slice(0, 8)
    return id
  }

  /** What is dated in the future was never done long enough ago to trust that it was (reliability E4). */
  function isDue(last: number | undefined, afterMs: number): boolean {
    const now = clock.wallNow()
    return last === undefined || last > now + 1000 || now - last >= afterMs
  }

  async function backUp(): Promise<void> {
    const own = await ownId()
    await makeBackupDirectory(directory, isChosen)
    await warnOfOneDisk()
    await removeTorn(directory, own)
    const name = formatBackupName({ id: own, time: clock.wallNow() })
    await unlessStopping(catalogue.backup(join(directory, name)))
    const all = await listBackups(directory, own)
    const made = all.find(backup => backup.name === name)
    if (made) await writeDigest(made, directory)
    const { good } = await readChecks(directory, own)
    for (const old of all.slice(keep)) if (old.name !== good) await removeBackup(old)
    log.info({ backup: name, size: made?.size }, 'catalogue backed up')
  }

  let isWarned = false
  async function warnOfOneDisk(): Promise<void> {
    if (isWarned) return
    isWarned = true
    const [there, here] = await Promise.all([stat(directory), stat(dirname(path))])
    if (there.dev !== here.dev) return
    log.warn(
      { directory },
      'backups are on the disk of the catalogue, and would be lost with it; set backups.directory',
    )
  }

  async function checkNewest(): Promise<void> {
    const own = await ownId()
    const [newest] = await listBackups(directory, own)
    const checks = await readChecks(directory, own)
    if (!newest || newest.name === checks.restored?.name) return
    if (!isDue(checks.restored?.time, settings.restoreEveryMs)) return
    const problems = await restoreAndCheck(newest, { ...options, live: catalogue, scratch, unlessStopping })
    await note(own, {
      restored: { name: newest.name, time: clock.wallNow(), problems },
      ...(problems.length === 0 ? { good: newest.name } : {}),
    })
    if (problems.length > 0) {
      await raise(`The newest backup of the catalogue, ${newest.name}, is not good: ${problems.join('; ')}`)
    } else log.info({ backup: newest.name }, 'newest backup of the catalogue restored and found good')
  }

  async function checkCatalogue(): Promise<void> {
    const own = await ownId()
    const { catalogue: last } = await readChecks(directory, own)
    if (!isDue(last?.time, settings.checkEveryMs)) return
    const problems = [...(await unlessStopping(catalogue.check()))]
    await makeBackupDirectory(directory, isChosen)
    await note(own, { catalogue: { time: clock.wallNow(), problems } })
    if (problems.length > 0) await raise(`The catalogue is damaged: ${problems.join('; ')}`)
    else log.info({}, 'catalogue read in full and found sound')
  }

  async function note(own: string, found: Partial<Checks>): Promise<void> {
    await writeChecks(directory, own, { ...(await readChecks(directory, own)), ...found })
  }

  async function work(signal: AbortSignal): Promise<void> {
    const everyLookMs = Math.min(LOOK_MS, (everyMs ?? LOOK_MS) / 2)
    // Of a check that a kill has cut off.
    await removeScratch(scratch)
    const stop = () => {
      isStopping = true
      stopping.reject(new Error('the server stops'))
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    while (!signal.aborted) {
      // To its end: nothing is written once the server has stopped.
      await look()
      if (!signal.aborted) await clock.sleep(everyLookMs, signal).catch(() => undefined)
    }
  }

  return { look, work, state: () => state }
}

export type { Backup }

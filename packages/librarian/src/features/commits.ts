/**
 * Everything around a commit, put together for one process: what brings bytes in hands them to `uploads`, or to `commits`.
 */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import type { Route } from '../routes/route.ts'
import { transferRoutes } from '../routes/transfers.ts'
import { uploadRoutes } from '../routes/uploads.ts'
import type { Alarms } from '../services/alarms.ts'
import { createSharedTurns } from '../services/byte-uploads/shared-turns.ts'
import { holdBytes, type WriteTurns } from '../services/byte-uploads/write-turns.ts'
import { Writers } from '../services/byte-uploads/writers.ts'
import type { Commits } from '../services/commit/commits.ts'
import { createCommits } from '../services/commit/create-commits.ts'
import { createDiskTrouble } from '../services/commit/disk-trouble.ts'
import { withMeters } from '../services/commit/with-meters.ts'
import { type Meters, noMeters } from '../services/meters.ts'
import { createPresence, type Presence } from '../services/presence.ts'
import { createRecovery, type Recovery } from '../services/recovery/create-recovery.ts'
import { freeWhatDied } from '../services/recovery/free-what-died.ts'
import { sweep } from '../services/recovery/sweep.ts'
import { createUploads } from '../services/uploads/create-uploads.ts'
import type { UploadProvider, Uploads } from '../services/uploads/uploads.ts'
import type { Stores } from '../stores/stores.ts'

export interface CommitServices {
  readonly presence: Presence
  readonly commits: Commits
  readonly recovery: Recovery
  readonly uploads: Uploads
  /** A commit takes one as any writer does. */
  readonly turns: WriteTurns
  readonly routes: readonly Route[]
  /** Takes this process's lease and recovers what was interrupted; to be awaited before the first call is answered. */
  recover(): Promise<void>
  /** Sweeps stores and ends abandoned uploads, now and then every hour, until the signal. */
  work(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface CommitServicesOptions {
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  readonly settings: Pick<Settings, 'name' | 'maximalUploadSize' | 'maxSearchResults'>
  /** Default: nobody counts. */
  readonly meters?: Meters | undefined
  /** Ways for bytes to come beside the stores' own managers; made with the uploads that they belong to. */
  readonly providers?: readonly UploadProvider[]
  /** Uploads that nobody committed for so long are ended. Default 14 d. */
  readonly uploadExpirySeconds?: number
}

const HOUR_MS = 3_600_000
const DAY_SECONDS = 86_400

export function createCommitServices(options: CommitServicesOptions): CommitServices {
  const { catalogue, stores, alarms, clock, log, settings, uploadExpirySeconds = 14 * DAY_SECONDS } = options
  const { meters = noMeters } = options
  const { name } = settings
  const presence = createPresence({ catalogue, clock, log })
  const recovery: Recovery = createRecovery({
    catalogue,
    stores,
    presence,
    alarms,
    clock,
    log,
    by: name,
    isWorkingOn: id => commits.isWorkingOn(id),
  })
  const disableStore = (store: string) => {
    const act = { actor: 'task:commits', action: 'disable', subject: store, detail: { reason: 'disk trouble' } }
    return catalogue.stores.setEnabled({ name: store, enabled: false, act })
  }
  const plain = createCommits({
    catalogue,
    alarms,
    log,
    holder: presence.holder,
    by: name,
    leave: recovery.leave,
    diskTrouble: createDiskTrouble({ clock, alarms, disableStore }),
  })
  const commits: Commits = withMeters(plain, { meters, clock })
  const guard = sharedTurns(options, presence)
  const turns: WriteTurns = { writers: new Writers(), guard }
  const uploads = createUploads({
    catalogue,
    stores,
    commits,
    alarms,
    log,
    maximalSize: settings.maximalUploadSize,
    providers: options.providers ?? [],
    holdBytes: token => holdBytes(turns, token),
    recoverTransfer: recovery.recoverTransfer,
  })

  const routes = [
    ...uploadRoutes(uploads),
    ...transferRoutes({ uploads, stores, maxResults: settings.maxSearchResults }),
  ]

  async function recover(): Promise<void> {
    await presence.start()
    await freeWhatDied({ catalogue, presence, log })
    await recoverAll()
  }

  async function recoverAll(): Promise<void> {
    const report = await recovery.recover()
    if (Object.values(report).some(count => count > 0)) log.info(report, 'interrupted commits were looked after')
  }

  async function tidy(): Promise<void> {
    // What a process that died elsewhere has left becomes free when its lease ends.
    await recoverAll()
    const expired = await uploads.expire(uploadExpirySeconds)
    if (expired > 0) log.info({ expired }, 'uploads that nobody committed were ended')
    for (const site of stores.all) {
      const { removed, unknown } = await sweep(site, catalogue)
      if (removed > 0) log.info({ store: site.name, removed }, 'left-overs of ended work were removed')
      if (unknown.length > 0)
        log.warn({ store: site.name, unknown }, 'a store holds work that the catalogue does not know')
    }
  }

  async function work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await tidy()
      } catch (error) {
        log.warn({ err: error }, 'the stores could not be swept')
      }
      await clock.sleep(HOUR_MS, signal).catch(() => undefined)
    }
  }

  async function close(): Promise<void> {
    await commits.close()
    await guard?.[Symbol.asyncDispose]()
    await recovery.close()
    await presence.close()
  }

  return { presence, commits, recovery, uploads, turns, routes, recover, work, close }
}

/** One file of SQLite has one process; of a PostgreSQL there may be many, on many machines. */
function sharedTurns({ catalogue, clock, log }: CommitServicesOptions, { holder, isDead }: Presence) {
  return catalogue.engine === 'sqlite' ? undefined : createSharedTurns({ catalogue, clock, log, holder, isDead })
}

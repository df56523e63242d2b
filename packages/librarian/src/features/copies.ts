/** What becomes of single copies: read, added where they lie, deleted, restored, purged. */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { destructionRoutes } from '../routes/destructions.ts'
import { instanceRoutes } from '../routes/instances.ts'
import type { Route } from '../routes/route.ts'
import { trashRoutes } from '../routes/trash.ts'
import { validateRoutes } from '../routes/validate.ts'
import { createAddFile } from '../services/add-file.ts'
import type { Alarms } from '../services/alarms.ts'
import type { Commits } from '../services/commit/commits.ts'
import { readUnchecked } from '../services/copies/first-readings.ts'
import { type CopyMaker, createCopyMaker } from '../services/copies/make-copy.ts'
import { type CopyReader, createCopyReader } from '../services/copies/read-copies.ts'
import { createBulkDeletions } from '../services/deletion/bulk-deletions.ts'
import { createDeletionGate, type DeletionGate } from '../services/deletion/gate.ts'
import { createDestructions } from '../services/destructions.ts'
import { createInstanceAdmin } from '../services/instance-admin.ts'
import { createLocalClones } from '../services/local-clones/local-clones.ts'
import type { PeerConnections } from '../services/peer-connections.ts'
import type { Presence } from '../services/presence.ts'
import { createPeerProofs } from '../services/proofs/ask-peers.ts'
import { createTrashList } from '../services/trash.ts'
import { createPeerValidation } from '../services/validate-peers.ts'
import { createValidation } from '../services/validation.ts'
import type { Stores } from '../stores/stores.ts'
import { createLocalCloneTask } from '../tasks/create-local-clone.ts'
import { createRollingDeletionTask } from '../tasks/rolling-deletion.ts'
import type { TaskKind } from '../tasks/task.ts'
import { createTierTask } from '../tasks/tier.ts'

export interface CopyServicesOptions {
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  readonly settings: Pick<Settings, 'name' | 'checksumThreads' | 'checksumTimeoutMs' | 'deletion'>
  readonly commits: Pick<Commits, 'commit'>
  readonly presence: Presence
  readonly random: (bytes: number) => Buffer
  readonly connections: PeerConnections
}

export interface CopyServices {
  readonly reader: CopyReader
  readonly gate: DeletionGate
  readonly maker: CopyMaker
  readonly routes: readonly Route[]
  readonly tasks: readonly TaskKind[]
  /** Deletions, and copies to other stores, that were interrupted; to be awaited before the first call is answered. */
  recover(): Promise<void>
  /** Recovers, purges and reads what nobody has read, now and then every hour, until the signal. */
  work(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const HOUR_MS = 3_600_000

export function createCopyServices(options: CopyServicesOptions): CopyServices {
  const { catalogue, stores, alarms, clock, log, settings, commits, presence, connections, random } = options
  const { name, checksumThreads, deletion } = settings
  const purgeAfterSeconds = deletion.purgeAfterMs / 1000
  const reader = createCopyReader({ catalogue, stores, alarms, log, by: name, atOnce: checksumThreads })
  const gate = createDeletionGate({
    catalogue,
    stores,
    reader,
    peers: createPeerProofs({ catalogue, stores, reader, connections, name, clock, random, log }),
    alarms,
    presence,
    clock,
    log,
    floor: deletion.proofs,
    purgeAfterSeconds,
  })
  const maker = createCopyMaker({ catalogue, stores, commits, reader, presence, log, random })
  const clones = createLocalClones({ catalogue, maker, stores, alarms, log })
  const deletions = createBulkDeletions({ catalogue, gate, log })
  const tasks = [
    createLocalCloneTask({ clones, stores }),
    createRollingDeletionTask({ deletions, stores }),
    createTierTask({ clones, deletions, stores }),
  ]
  const validation = createValidation({ catalogue, stores, reader, clock, cacheMs: settings.checksumTimeoutMs })
  const routes = [
    ...validateRoutes(validation, { librarianName: name, peers: createPeerValidation({ ...options, name }) }),
    ...instanceRoutes({
      addFile: createAddFile({ catalogue, stores, commits }),
      instances: createInstanceAdmin({ catalogue, stores, gate }),
    }),
    ...destructionRoutes(createDestructions({ catalogue, stores, gate, random, log })),
    ...trashRoutes({ trash: createTrashList({ catalogue, stores, purgeAfterSeconds }), gate }),
  ]

  async function recover(): Promise<void> {
    await gate.recover()
    const ended = await maker.recover()
    if (ended > 0) log.info({ ended }, 'interrupted copies to other stores were looked after')
  }

  async function purge(signal: AbortSignal): Promise<void> {
    // What a process that died elsewhere has left becomes free when its lease ends.
    await recover()
    const report = await gate.purgeDue({ signal })
    if (report.purged + report.kept > 0) log.info(report, 'the trash was looked through')
  }

  async function readNew(signal: AbortSignal): Promise<void> {
    await readUnchecked({ catalogue, reader, holder: presence.holder, log }, signal)
  }

  async function hourly(act: (signal: AbortSignal) => Promise<void>, what: string, signal: AbortSignal) {
    while (!signal.aborted) {
      try {
        await act(signal)
      } catch (error) {
        log.warn({ err: error }, `${what}; the next try is in an hour`)
      }
      await clock.sleep(HOUR_MS, signal).catch(() => undefined)
    }
  }

  return {
    reader,
    gate,
    maker,
    routes,
    tasks,
    recover,
    async work(signal) {
      // Beside each other: a first reading of a whole store takes days.
      await Promise.all([
        hourly(purge, 'the trash could not be purged', signal),
        hourly(readNew, 'copies that nobody has read could not be read', signal),
      ])
    },
    async close() {
      await gate.close()
      await reader.settled()
    },
  }
}

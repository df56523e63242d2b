/** Proofs, scrub and repair, put together for one process (reliability B5, C1–C4, E5). */
import { createEngine } from '@arriero/transfer'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { proofRoutes } from '../routes/proof.ts'
import { repairRoutes } from '../routes/repair.ts'
import type { Route } from '../routes/route.ts'
import type { Alarms } from '../services/alarms.ts'
import type { CopyReader } from '../services/copies/read-copies.ts'
import type { PeerConnections } from '../services/peer-connections.ts'
import type { Presence } from '../services/presence.ts'
import { createChallenges } from '../services/proofs/answer-challenges.ts'
import { createPeerProofs } from '../services/proofs/ask-peers.ts'
import type { PeerProofs } from '../services/proofs/peer-proofs.ts'
import { createRepair } from '../services/repair/create-repair.ts'
import { createPeerUpstream } from '../services/repair/peer-upstream.ts'
import type { RepairService } from '../services/repair/repair.ts'
import { createScrub } from '../services/scrub/scrub.ts'
import type { Stores } from '../stores/stores.ts'
import { checkIntegrityTask } from '../tasks/check-integrity.ts'
import { repairTasks } from '../tasks/repair.ts'
import { scrubTask } from '../tasks/scrub.ts'
import type { TaskKind } from '../tasks/task.ts'

export interface IntegrityOptions {
  readonly settings: Pick<Settings, 'name' | 'checksumThreads'>
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly reader: CopyReader
  readonly alarms: Alarms
  readonly connections: PeerConnections
  readonly presence: Presence
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
  readonly log: Log
}

export interface IntegrityFeature {
  readonly repair: RepairService
  readonly routes: readonly Route[]
  readonly tasks: readonly TaskKind[]
  /** Repairs that were interrupted; to be awaited before the first call is answered. */
  recover(): Promise<void>
  /** Recovers, and empties the quarantine of what is old, now and then every hour, until the signal. */
  work(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const HOUR_MS = 3_600_000
/** Of memory for what is fetched from other librarians. */
const MEMORY = 64 << 20

export function createIntegrityFeature(options: IntegrityOptions): IntegrityFeature {
  const { settings, catalogue, reader, connections, clock, random, log } = options
  const { name, checksumThreads } = settings
  const engine = createEngine({ memoryBudget: MEMORY, proxyFromEnvironment: false })
  const upstream = createPeerUpstream({ catalogue, connections, engine, name })
  const repair = createRepair({ ...options, upstream, by: name })
  // One place is left to whoever waits for a single copy.
  const scrub = createScrub({ ...options, atOnce: Math.max(1, checksumThreads - 1) })
  const challenges = createChallenges({ catalogue, reader, random })

  async function tidy(signal: AbortSignal): Promise<void> {
    await repair.recover()
    const report = await repair.purgeDue({ signal })
    if (report.purged + report.kept > 0) log.info(report, 'the quarantine was looked through')
  }

  return {
    repair,
    routes: [...proofRoutes(challenges, { librarianName: name }), ...repairRoutes(repair)],
    tasks: [scrubTask(scrub), checkIntegrityTask(scrub), ...repairTasks(repair)],
    recover: () => repair.recover(),
    async work(signal) {
      while (!signal.aborted) {
        await tidy(signal).catch(error => log.warn({ err: error }, 'the quarantine could not be looked through'))
        await clock.sleep(HOUR_MS, signal).catch(() => undefined)
      }
    },
    close: () => engine.close(),
  }
}

/** What other librarians prove: for whoever deletes. */
export function createProofs({
  settings,
  ...options
}: Pick<
  IntegrityOptions,
  'settings' | 'catalogue' | 'stores' | 'reader' | 'connections' | 'clock' | 'random' | 'log'
>): PeerProofs {
  return createPeerProofs({ ...options, name: settings.name })
}

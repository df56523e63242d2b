/**
 * The one place where the parts of a librarian are made and handed to each other.
 *
 * Opening goes from the ground up: catalogue, stores, services, routes. Closing goes the other way.
 */
import type { FastifyInstance } from 'fastify'
import { createOnce } from './app/idempotency.ts'
import { createApp } from './app.ts'
import { type Authenticator, createAuthenticator } from './auth/authenticator.ts'
import { createFailureLimit } from './auth/failure-limit.ts'
import { createPasswords, type Passwords } from './auth/passwords.ts'
import { createRecentSuccesses } from './auth/recent-successes.ts'
import { createSessions, type Sessions } from './auth/sessions.ts'
import type { AuditEntry } from './catalogue/operations/audit.ts'
import { createTaskEngine } from './engine/create-engine.ts'
import type { Poison, TaskEngine } from './engine/engine.ts'
import { createBackupFeature } from './features/backups.ts'
import { createBytes } from './features/bytes.ts'
import { createCloneFeature } from './features/clones.ts'
import { createCommitServices } from './features/commits.ts'
import { createCopyServices } from './features/copies.ts'
import { createDashboardFeature } from './features/dashboard.ts'
import type { Feature, Ground } from './features/feature.ts'
import { createIngestFeature } from './features/ingest.ts'
import { createIntegrityFeature } from './features/integrity.ts'
import { createManualFeature } from './features/manual.ts'
import { createMessageFeature } from './features/messages.ts'
import { createMetricsFeature } from './features/metrics.ts'
import { createSendingFeature } from './features/sending.ts'
import { createSneakernetFeature } from './features/sneakernet.ts'
import { createTaskFeature } from './features/tasks.ts'
import { errorRoutes } from './routes/errors.ts'
import { librarianRoutes } from './routes/librarians.ts'
import { pingRoutes } from './routes/ping.ts'
import { searchRoutes } from './routes/search.ts'
import { storeRoutes } from './routes/stores.ts'
import { userRoutes } from './routes/users.ts'
import { createFernet, type Fernet } from './secrets/fernet.ts'
import type { Alarms } from './services/alarms.ts'
import { withAudit } from './services/audit.ts'
import { httpProvider } from './services/byte-uploads/provider.ts'
import { callPeers } from './services/call-peers.ts'
import { createCopiesHealth } from './services/copies/copies-health.ts'
import { createAlarms } from './services/create-alarms.ts'
import type { PacedLook } from './services/figures/paced-look.ts'
import { createHeardPeers } from './services/heard-peers.ts'
import type { Meters } from './services/meters.ts'
import { createMethods } from './services/methods/create-methods.ts'
import { createPeerConnections, type PeerConnections } from './services/peer-connections.ts'
import { createPeers, type PeersOptions } from './services/peers.ts'
import type { Presence } from './services/presence.ts'
import { createReadiness } from './services/readiness.ts'
import { createSearch } from './services/search.ts'
import { createWaiting, type Waiting } from './services/sending/waiting.ts'
import { createStoreAdmin } from './services/store-admin.ts'
import { createUsers } from './services/users.ts'
import type { Scheduler } from './tasks/scheduler.ts'

/** What features share beyond the ground. */
interface Shared extends Ground {
  readonly alarms: Alarms
  readonly passwords: Passwords
  /** Undefined: no key is configured. */
  readonly fernet: Fernet | undefined
  readonly connections: PeerConnections
  /** Brings background work to whichever process may do it. */
  readonly engine: TaskEngine
  readonly sessions: Sessions
  readonly meters: Meters
  readonly waiting: PacedLook<readonly Waiting[]>
}

export interface House {
  readonly features: readonly Feature[]
  readonly scheduler: Scheduler
  readonly createApp: () => Promise<FastifyInstance>
}

export async function assemble(ground: Ground): Promise<House> {
  const { settings, catalogue, log, clock, random } = ground
  const fernet = settings.encryptionKey && createFernet(settings.encryptionKey, { clock, random })
  const alarms = createAlarms({ catalogue, log })
  const passwords = ground.passwords ?? createPasswords({ random })
  const authenticator = authenticatorOf({ ...ground, passwords })
  const sessions = createSessions({ catalogue, authenticator, random })
  const waiting = createWaiting(ground)
  const metrics = createMetricsFeature({ ...ground, waiting })
  const shared: Shared = {
    ...ground,
    alarms,
    passwords,
    sessions,
    fernet,
    connections: createPeerConnections({ catalogue, fernet }),
    meters: metrics.meters,
    waiting,
    engine: await createTaskEngine({ ...ground, settings: settings.catalogue, onPoison: poisonAlarm(alarms) }),
  }
  const backups = createBackupFeature(shared)
  const { own, presence } = await featuresOf(shared, (name, isThere) => tasks.scheduler.reconsider(name, isThere))
  const tasks = createTaskFeature({ ...shared, kinds: own.flatMap(({ tasks: kinds = [] }) => kinds) })
  // The engine is the last: whatever has work for it has said how that is done.
  const features: Feature[] = [...own, backups, tasks, metrics]
  const record = async (act: AuditEntry) => {
    await catalogue.audit.append(act)
  }
  return {
    features,
    scheduler: tasks.scheduler,
    createApp: () =>
      createApp({
        settings,
        routes: features.flatMap(({ routes = [] }) => routes).map(route => withAudit(route, record, log)),
        rawRoutes: features.flatMap(({ rawRoutes = [] }) => rawRoutes),
        authenticator,
        sessions,
        hear: createHeardPeers({ catalogue, clock, log }),
        once: createOnce(catalogue.idempotency, presence),
        readiness: createReadiness(ground),
        backups: () => backups.backups?.state(),
        copies: createCopiesHealth(catalogue, ground.stores),
        metrics: metrics.metrics,
        clock,
        log,
      }),
  }
}

/** Every feature of a librarian; a new one is a line here. */
async function featuresOf(
  shared: Shared,
  onPeerChange: PeersOptions['onChange'],
): Promise<{ own: Feature[]; presence: Presence }> {
  const commits = createCommitServices({ ...shared, providers: [httpProvider] })
  const copies = createCopyServices({ ...shared, commits: commits.commits, presence: commits.presence })
  const bytes = await createBytes({
    ...shared,
    uploads: commits.uploads,
    reader: copies.reader,
    turns: commits.turns,
  })
  const ingest = createIngestFeature({ ...shared, uploads: commits.uploads, holder: commits.presence.holder })
  const integrity = createIntegrityFeature({ ...shared, reader: copies.reader, presence: commits.presence })
  const { holder } = commits.presence
  const { takeReplacement } = integrity.repair
  const messages = createMessageFeature({ ...shared, holder })
  const clones = createCloneFeature({
    ...shared,
    holder,
    commits: commits.commits,
    recoverTransfer: commits.recovery.recoverTransfer,
    takeReplacement,
    data: bytes.data,
    onMessage: () => messages.delivery.wake(),
  })
  const sneakernet = createSneakernetFeature({
    ...shared,
    commits: commits.commits,
    recoverTransfer: commits.recovery.recoverTransfer,
    takeReplacement,
    turns: commits.turns,
    onMessage: () => messages.delivery.wake(),
  })
  const sending = createSendingFeature({ ...shared, holder, reader: copies.reader, methods: createMethods(shared) })
  const flows = [messages, clones, sending, sneakernet]
  const own = [
    administration(shared, onPeerChange),
    commits,
    copies,
    integrity,
    bytes,
    ingest,
    ...flows,
    createDashboardFeature({ ...shared, retry: sending.retry }),
    createManualFeature(),
    housekeeping(shared),
  ]
  return { own, presence: commits.presence }
}

function administration(
  { settings, catalogue, stores, passwords, fernet, log }: Shared,
  onChange: PeersOptions['onChange'],
): Feature {
  const calls = callPeers({ name: settings.name })
  return {
    routes: [
      ...pingRoutes(settings),
      ...searchRoutes(createSearch({ catalogue, maxResults: settings.maxSearchResults })),
      ...errorRoutes(catalogue.errors),
      ...userRoutes(createUsers({ catalogue, passwords })),
      ...storeRoutes(createStoreAdmin({ catalogue, stores }), { librarianName: settings.name }),
      ...librarianRoutes(createPeers({ catalogue, calls, name: settings.name, fernet, onChange, log })),
    ],
  }
}

function poisonAlarm(alarms: Alarms) {
  return ({ queue, key, attempts, reason }: Poison) =>
    void alarms.raise({
      severity: 'error',
      category: 'programming',
      message: `The work ${key} of ${queue} failed ${attempts} times and is tried every hour: ${reason}`,
      caller: 'engine',
    })
}

/** Answers kept for a repeated key are forgotten after a week: longer than anybody repeats a call. */
const keepAnswersSeconds = 7 * 24 * 3600
const housekeepingMs = 3_600_000

function housekeeping({ catalogue, log }: Shared): Feature {
  return {
    async work(signal) {
      while (!signal.aborted) {
        try {
          while ((await catalogue.idempotency.expire({ olderThanSeconds: keepAnswersSeconds })) === 1000);
          await catalogue.sendQueue.sweepLeases()
        } catch (error) {
          log.warn({ err: error }, 'What is old could not be forgotten; the next try is in an hour')
        }
        await pause(housekeepingMs, signal)
      }
    },
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, ms)
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    signal.addEventListener('abort', end, { once: true })
  })
}

function authenticatorOf({
  catalogue,
  passwords,
  clock,
  random,
  log,
}: Ground & Pick<Shared, 'passwords'>): Authenticator {
  return createAuthenticator({
    findAccount: username => catalogue.accounts.find({ username }),
    passwords,
    failures: createFailureLimit({ clock }),
    successes: createRecentSuccesses({ clock, random }),
    log,
  })
}

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
import type { Catalogue } from './catalogue/catalogue.ts'
import type { AuditEntry } from './catalogue/operations/audit.ts'
import type { Clock } from './clock.ts'
import type { Settings } from './config.ts'
import { createBackupFeature } from './features/backups.ts'
import { createBytes } from './features/bytes.ts'
import { createCommitServices } from './features/commits.ts'
import { createCopyServices } from './features/copies.ts'
import { createIngestFeature } from './features/ingest.ts'
import type { Log } from './log.ts'
import { errorRoutes } from './routes/errors.ts'
import { librarianRoutes } from './routes/librarians.ts'
import { pingRoutes } from './routes/ping.ts'
import type { RawRoute } from './routes/raw-route.ts'
import type { Route } from './routes/route.ts'
import { searchRoutes } from './routes/search.ts'
import { storeRoutes } from './routes/stores.ts'
import { userRoutes } from './routes/users.ts'
import { createFernet } from './secrets/fernet.ts'
import type { Alarms } from './services/alarms.ts'
import { withAudit } from './services/audit.ts'
import { httpProvider } from './services/byte-uploads/provider.ts'
import { callPeers } from './services/call-peers.ts'
import { createCopiesHealth } from './services/copies/copies-health.ts'
import { createAlarms } from './services/create-alarms.ts'
import { createHeardPeers } from './services/heard-peers.ts'
import { createPeers } from './services/peers.ts'
import type { Presence } from './services/presence.ts'
import { createReadiness } from './services/readiness.ts'
import { createSearch } from './services/search.ts'
import { createStoreAdmin } from './services/store-admin.ts'
import { createUsers } from './services/users.ts'
import type { Stores } from './stores/stores.ts'

/** What every service may be made of. */
export interface Ground {
  readonly settings: Settings
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly clock: Clock
  readonly log: Log
  /** So many bytes that nobody can guess. */
  readonly random: (bytes: number) => Buffer
  /** Default: of the usual cost. */
  readonly passwords?: Passwords | undefined
}

/** What features share beyond the ground. */
interface Shared extends Ground {
  readonly alarms: Alarms
  readonly passwords: Passwords
}

/** Services with the routes that speak for them. */
export interface Feature {
  readonly routes?: readonly Route[]
  readonly rawRoutes?: readonly RawRoute[]
  /** What a crash has left is finished or undone before the first call is answered. */
  readonly recover?: () => Promise<void>
  /** Goes on until the signal, whichever role does background work. Restartable, safe beside itself on another machine. */
  readonly work?: (signal: AbortSignal) => Promise<void>
  /** Ends what it holds; after its routes have ended. */
  readonly close?: () => Promise<void>
}

export interface House {
  readonly features: readonly Feature[]
  readonly createApp: () => Promise<FastifyInstance>
}

export async function assemble(ground: Ground): Promise<House> {
  const { settings, catalogue, log, clock, random } = ground
  const shared: Shared = {
    ...ground,
    alarms: createAlarms({ catalogue, log }),
    passwords: ground.passwords ?? createPasswords({ random }),
  }
  const backups = createBackupFeature(shared)
  const { own, presence } = await featuresOf(shared)
  const features: Feature[] = [...own, backups]
  const record = async (act: AuditEntry) => {
    await catalogue.audit.append(act)
  }
  return {
    features,
    createApp: () =>
      createApp({
        settings,
        routes: features.flatMap(({ routes = [] }) => routes).map(route => withAudit(route, record, log)),
        rawRoutes: features.flatMap(({ rawRoutes = [] }) => rawRoutes),
        authenticator: authenticatorOf(shared),
        hear: createHeardPeers({ catalogue, clock, log }),
        once: createOnce(catalogue.idempotency, presence),
        readiness: createReadiness(ground),
        backups: () => backups.backups?.state(),
        copies: createCopiesHealth(catalogue),
        clock,
        log,
      }),
  }
}

/** Every feature of a librarian; a new one is a line here. */
async function featuresOf(shared: Shared): Promise<{ own: Feature[]; presence: Presence }> {
  const commits = createCommitServices({ ...shared, providers: [httpProvider] })
  const copies = createCopyServices({ ...shared, commits: commits.commits, presence: commits.presence })
  const bytes = await createBytes({
    ...shared,
    uploads: commits.uploads,
    reader: copies.reader,
    turns: commits.turns,
  })
  const ingest = createIngestFeature({ ...shared, uploads: commits.uploads, holder: commits.presence.holder })
  const own = [administration(shared), commits, copies, bytes, ingest, housekeeping(shared)]
  return { own, presence: commits.presence }
}

function administration({ settings, catalogue, stores, passwords, clock, random, log }: Shared): Feature {
  const fernet = settings.encryptionKey && createFernet(settings.encryptionKey, { clock, random })
  const calls = callPeers({ name: settings.name })
  return {
    routes: [
      ...pingRoutes(settings),
      ...searchRoutes(createSearch({ catalogue, maxResults: settings.maxSearchResults })),
      ...errorRoutes(catalogue.errors),
      ...userRoutes(createUsers({ catalogue, passwords })),
      ...storeRoutes(createStoreAdmin({ catalogue, stores }), { librarianName: settings.name }),
      ...librarianRoutes(createPeers({ catalogue, calls, fernet, log })),
    ],
  }
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
        } catch (error) {
          log.warn({ err: error }, 'Old answers could not be forgotten; the next try is in an hour')
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

function authenticatorOf({ catalogue, passwords, clock, random, log }: Shared): Authenticator {
  return createAuthenticator({
    findAccount: username => catalogue.accounts.find({ username }),
    passwords,
    failures: createFailureLimit({ clock }),
    successes: createRecentSuccesses({ clock, random }),
    log,
  })
}

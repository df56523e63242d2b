/** A librarian with everything it stands on: opened, listening, stopped. */
import { randomBytes } from 'node:crypto'
import { LibrarianError } from '@arriero/api'
import type { FastifyInstance } from 'fastify'
import type { Passwords } from './auth/passwords.ts'
import type { Catalogue } from './catalogue/catalogue.ts'
import { openCatalogue } from './catalogue/open.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Settings } from './config.ts'
import { assemble, type House } from './librarian.ts'
import type { Log } from './log.ts'
import { cataloguePlace } from './stores/catalogue-place.ts'
import { openStore } from './stores/open-store.ts'
import { type OpenStore, openStores } from './stores/open-stores.ts'
import type { Stores } from './stores/stores.ts'
import type { TaskRunReport } from './tasks/scheduler.ts'

export interface Librarian {
  readonly settings: Settings
  readonly catalogue: Catalogue
  /**
   * Finishes or undoes what a crash has left, then does what the role says. Resolves when calls are answered and background
   * work goes on.
   */
  start(options?: StartOptions): Promise<Listening | undefined>
  /** Instead of `start`: recovers, then runs every recurring task once. Rejects with the signal's reason. */
  runTasks(signal: AbortSignal): Promise<readonly TaskRunReport[]>
  /**
   * Takes no more calls, lets those under way end for `graceMs`, ends the others where they can be continued, closes
   * everything. May be called twice.
   */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Done when calls are answered and before background work begins, so that the first backup has what it makes. */
  readonly beforeWork?: (() => Promise<void>) | undefined
}

/** Of a worker: where it is asked for metrics and health; it answers no calls. */
export interface Listening {
  readonly url: string
  readonly host: string
  readonly port: number
}

export interface OpenLibrarianOptions {
  readonly settings: Settings
  readonly log: Log
  readonly clock?: Clock
  readonly random?: (bytes: number) => Buffer
  /** Default: of the usual cost. */
  readonly passwords?: Passwords | undefined
  /** Take over what the settings say of stores that are known already. */
  readonly overwriteStores?: boolean | undefined
  /** There is a backup of the catalogue in PostgreSQL: its schema may be changed. */
  readonly isBackedUp?: boolean | undefined
  /** How long calls under way may go on when it stops. Default 20,000: 30 s are allowed for the whole. */
  readonly graceMs?: number
}

/** `Configuration` with what to do, where it must not start. */
export async function openLibrarian(options: OpenLibrarianOptions): Promise<Librarian> {
  const {
    settings,
    log,
    clock = systemClock,
    random = randomBytes,
    overwriteStores,
    graceMs = 20_000,
    isBackedUp,
    passwords,
  } = options
  for (const warning of settings.warnings) log.warn({}, warning)
  const catalogue = await openCatalogue({ url: urlOf(settings), log, isBackedUp })
  let stores: Stores | undefined
  try {
    const open: OpenStore = (row, how) => openStore(row, { log, ...how, startThreadsTogether: true })
    stores = await openStores({
      settings,
      catalogue,
      place: cataloguePlace(settings),
      openStore: open,
      clock,
      log,
      overwrite: overwriteStores,
    })
    const house = await assemble({ settings, catalogue, stores, clock, log, random, passwords })
    return run({ settings, catalogue, stores, house, log, graceMs })
  } catch (error) {
    // The reason why it cannot start is the one to tell, whatever closing says.
    await Promise.allSettled([stores?.[Symbol.asyncDispose]()])
    await catalogue.close()
    throw error
  }
}

function urlOf({ catalogue }: Settings): string {
  return catalogue.engine === 'sqlite' ? catalogue.path : catalogue.url.reveal()
}

interface Opened {
  readonly settings: Settings
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly house: House
  readonly log: Log
  readonly graceMs: number
}

function run({ settings, catalogue, stores, house, log, graceMs }: Opened): Librarian {
  const working = new AbortController()
  let work: Promise<unknown> = Promise.resolve()
  let app: FastifyInstance | undefined
  let stopped: Promise<void> | undefined

  async function stop(): Promise<void> {
    log.info({}, 'Stopping: no more calls are taken')
    if (app) await closeApp(app, graceMs)
    working.abort(new LibrarianError('Busy', 'The server is stopping'))
    await work
    for (const feature of [...house.features].reverse()) await feature.close?.()
    await stores[Symbol.asyncDispose]()
    await catalogue.close()
    log.info({}, 'Stopped')
  }

  return {
    settings,
    catalogue,
    async start({ beforeWork } = {}) {
      for (const feature of house.features) await feature.recover?.()
      const listening = settings.role === 'worker' ? await beWatched() : await answer()
      await beforeWork?.()
      if (settings.role !== 'api') work = startWork(house, working.signal, log)
      return listening
    },
    async runTasks(signal) {
      for (const feature of house.features) await feature.recover?.()
      return await house.scheduler.runAll(signal)
    },
    stop: () => (stopped ??= stop()),
  }

  async function answer(): Promise<Listening> {
    app = await house.createApp('calls')
    return await listen(app, settings)
  }

  async function beWatched(): Promise<Listening | undefined> {
    const { workerHost: host, workerPort: port } = settings
    if (port === undefined) return undefined
    app = await house.createApp('watch')
    return await listen(app, { host, port })
  }
}

/** One feature's failure ends neither the others nor the process: it is told, and shows in the log. */
function startWork({ features }: House, signal: AbortSignal, log: Log): Promise<unknown> {
  return Promise.all(
    features.map(async feature => {
      try {
        await feature.work?.(signal)
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, 'Background work ended that should not')
      }
    }),
  )
}

async function listen(app: FastifyInstance, { host, port }: Pick<Settings, 'host' | 'port'>): Promise<Listening> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw refusal(error, host, port)
  }
  const bound = app.server.address()
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port
  return { url: `http://${reachable(host)}:${actual}`, host, port: actual }
}

function refusal(error: unknown, host: string, port: number): LibrarianError {
  const { code } = error as NodeJS.ErrnoException
  const why = new Map([
    ['EADDRINUSE', ['another program listens there', 'Choose another port with --port, or end the other program.']],
    ['EACCES', ['the system does not allow it', 'Ports below 1024 need rights; choose another one with --port.']],
    ['EADDRNOTAVAIL', ['this machine has no such address', 'Choose another address with --host.']],
    ['ENOTFOUND', ['there is no such host', 'Choose another address with --host.']],
  ]).get(code ?? '')
  return new LibrarianError(
    'Configuration',
    `Cannot listen on ${host}:${port}: ${why?.[0] ?? code ?? 'unknown reason'}`,
    {
      remedy: why?.[1],
      cause: error,
    },
  )
}

/** An address that stands for all is none to go to. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** Calls that do not end in time lose their connection; what they had begun is continued by recovery, or by the caller. */
async function closeApp(app: FastifyInstance, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}

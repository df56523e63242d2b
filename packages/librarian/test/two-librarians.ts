/** A librarian that receives, with all that it does by itself, and one that gives, made by hand: real wires between them. */
import { randomBytes } from 'node:crypto'
import { type Connection, connect, endpoints, FLOWS, IDEMPOTENCY, type TransferStatus } from '@arriero/api'
import { systemClock } from '../src/clock.ts'
import { createCloneFeature } from '../src/features/clones.ts'
import { createMessageFeature } from '../src/features/messages.ts'
import { type Log, silentLog } from '../src/log.ts'
import { bundleRoute } from '../src/routes/clone-bundle.ts'
import { dataRoute } from '../src/routes/data.ts'
import type { RawRoute } from '../src/routes/raw-route.ts'
import { route } from '../src/routes/route.ts'
import { validateRoutes } from '../src/routes/validate.ts'
import { createFernet } from '../src/secrets/fernet.ts'
import { createCopyReader } from '../src/services/copies/read-copies.ts'
import { createAlarms } from '../src/services/create-alarms.ts'
import { Tickets } from '../src/services/data/tickets.ts'
import { createData, type Data } from '../src/services/data.ts'
import { createPeerConnections } from '../src/services/peer-connections.ts'
import { createRepair } from '../src/services/repair/create-repair.ts'
import type { RepairService } from '../src/services/repair/repair.ts'
import type { Upstream } from '../src/services/repair/upstream.ts'
import { createValidation } from '../src/services/validation.ts'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import type { TaskContext, TaskResult } from '../src/tasks/task.ts'
import { nobody } from './open-integrity.ts'
import { type RawApp, startRawApp } from './raw-app.ts'
import { openWorld, type World, type WorldGround } from './world.ts'

const fernet = createFernet({ reveal: () => 'xi_XAj9x5igbZInpy4izFiyubfLiW0beI7mJAYKCb-0=' } as never, {
  clock: systemClock,
  random: size => Buffer.alloc(size, 7),
})

export interface Completed {
  readonly source_transfer_id: number
  readonly destination_transfer_id: number
  readonly store_id: number
}

/** Gives what it has; keeps what it is told. */
export interface Giver extends AsyncDisposable {
  readonly world: World
  readonly app: RawApp
  /** In the order in which it heard of them. */
  readonly completed: Completed[]
  /** How many each call of `clone/complete_many` told. */
  readonly many: number[]
  /** Numbers of transfers that the receiver has ended. */
  readonly failed: number[]
  /** Paths of requests for bytes. */
  readonly requests: string[]
  /** Of those that are answered, or broken off. */
  readonly ended: string[]
}

export interface GiverOptions {
  readonly files: Readonly<Record<string, MemoryContent>>
  /** Around the routes that give bytes. */
  readonly wrap?: (routes: RawRoute) => RawRoute
  readonly capabilities?: readonly string[]
  /** What it has from before. */
  readonly ground?: WorldGround
  /** Asked of each that it is told of; throws what it answers instead. */
  readonly onComplete?: (pair: Completed) => void
  /** What it says of its transfers. */
  readonly statuses?: Readonly<Record<number, TransferStatus>>
}

export async function startGiver({
  files,
  wrap = same => same,
  statuses = {},
  ...options
}: GiverOptions): Promise<Giver> {
  const world = await openWorld(options.ground ? { ground: options.ground } : {})
  await Promise.all(Object.entries(files).map(([name, content]) => world.upload(name, content)))
  const completed: Completed[] = []
  const failed: number[] = []
  const requests: string[] = []
  const ended: string[] = []
  const many: number[] = []
  const capabilities = [...(options.capabilities ?? [IDEMPOTENCY, FLOWS])]
  const noted = (raw: RawRoute): RawRoute => ({
    ...raw,
    async handle(request, response, call) {
      requests.push(request.url ?? '')
      await raw.handle(request, response, call).finally(() => ended.push(request.url ?? ''))
    },
  })
  const data = dataOf(world)
  const { stores } = world
  const { catalogue } = world.ground
  const alarms = createAlarms({ catalogue, log: silentLog })
  const reader = createCopyReader({ catalogue, stores, alarms, log: silentLog, by: 'a', atOnce: 2 })
  const validation = createValidation({ catalogue, stores, reader, clock: systemClock, cacheMs: 3_600_000 })
  const tickets = new Tickets({ secret: Buffer.alloc(32), now: () => systemClock.wallNow() })
  const rawRoutes = [dataRoute({ data, tickets, mayRead: async () => true }), bundleRoute({ data })].map(one =>
    noted(wrap(one)),
  )
  const app = await startRawApp({
    rawRoutes,
    users: { b: 'CALLBACK' },
    routes: [
      ...Object.values(endpoints.ping).map(ping =>
        route(ping, async () => ({ name: 'a', description: '', capabilities })),
      ),
      ...validateRoutes(validation, { librarianName: 'a' }),
      route(endpoints.clone.complete, async request => {
        options.onComplete?.(request)
        completed.push(request)
        return request
      }),
      route(endpoints.clone.completeMany, async ({ transfers }) => {
        for (const one of transfers) options.onComplete?.(one)
        many.push(transfers.length)
        completed.push(...transfers)
        return { completed: transfers.map(one => one.source_transfer_id), refused: [] }
      }),
      route(endpoints.checkin.status, async ({ source_transfer_ids }) => ({
        source_transfer_status: Object.fromEntries(source_transfer_ids.map(id => [id, statuses[id] ?? null])) as Record<
          string,
          TransferStatus | null
        >,
        destination_transfer_status: {},
      })),
      route(endpoints.checkin.update, async ({ source_transfer_ids }) => {
        failed.push(...source_transfer_ids)
        return {
          modified_source_transfer_ids: source_transfer_ids,
          modified_destination_transfer_ids: [],
          unmodified_source_transfer_ids: [],
          unmodified_destination_transfer_ids: [],
          reasons: [],
        }
      }),
    ],
  })
  return {
    world,
    app,
    completed,
    many,
    failed,
    requests,
    ended,
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  }
}

function dataOf(world: World, log: Log = silentLog): Data {
  const { catalogue } = world.ground
  const alarms = createAlarms({ catalogue, log })
  const reader = createCopyReader({ catalogue, stores: world.stores, alarms, log, by: 'here', atOnce: 2 })
  return createData({ catalogue, stores: world.stores, reader })
}

export interface Taker extends AsyncDisposable {
  readonly world: World
  readonly app: RawApp
  /** As the giver's own account there. */
  readonly asGiver: Connection
  /** Runs a task of the settings once. */
  run(key: string, settings?: object, context?: Partial<TaskContext>): Promise<TaskResult>
  readonly logged: readonly string[]
  readonly repair: RepairService
  /** What it does by itself: until `stop`, which is a kill where nothing is waited for. */
  start(): void
  stop(): Promise<void>
  statuses(): Promise<Record<string, string>>
}

export interface TakerOptions {
  readonly ground?: WorldGround
  readonly giverPort: number
  /** Where bad copies are repaired from. Default: nowhere. */
  readonly upstream?: Upstream
}

export async function startTaker({ ground, giverPort, upstream = nobody }: TakerOptions): Promise<Taker> {
  const world = await openWorld(ground ? { ground } : {})
  const { catalogue } = world.ground
  await catalogue.peers.add({
    name: 'a',
    url: 'http://127.0.0.1',
    port: giverPort,
    authenticator: fernet.encrypt('b:pw'),
  })
  const logged: string[] = []
  const tell = (fields: object, message: string) => {
    const { err } = fields as { err?: unknown }
    logged.push(`${message} ${err instanceof Error ? err.stack : JSON.stringify(fields)}`)
  }
  const log: Log = { debug: () => {}, info: tell, warn: tell, error: tell }
  const alarms = { raise: async (alarm: { message: string }) => void logged.push(alarm.message) }
  const connections = createPeerConnections({ catalogue, fernet, connectOptions: { retries: 0 } })
  const shared = { catalogue, connections, alarms, clock: systemClock, log, holder: world.holder }
  const tuning = { everyMs: 50, firstPauseMs: 20, leaseSeconds: 1, watchMs: 20 }
  const messages = createMessageFeature({ ...shared, tuning })
  const { stores } = world
  const reader = createCopyReader({ catalogue, stores, alarms, log, by: 'b', atOnce: 2 })
  const presence = { holder: world.holder, gone: async () => new Set<string>() }
  const repair = createRepair({ ...shared, stores, reader, presence, upstream, random: randomBytes, by: 'b' })
  const feature = createCloneFeature({
    ...shared,
    settings: { background: { recieve_clone: [] } },
    stores,
    commits: world.commits,
    recoverTransfer: world.recovery.recoverTransfer,
    takeReplacement: repair.takeReplacement,
    data: dataOf(world),
    fernet,
    onMessage: () => messages.delivery.wake(),
    tuning,
  })
  const app = await startRawApp({ rawRoutes: [], routes: feature.routes, users: { a: 'READAPPEND', root: 'ADMIN' } })
  let stop = new AbortController()
  let work: Promise<unknown> = Promise.resolve()
  return {
    world,
    app,
    logged,
    repair,
    async run(key, settings = {}, context = {}) {
      const kind = feature.tasks.find(one => one.key === key)!
      const common = {
        task_name: key,
        every: 1,
        soft_timeout: null,
        deletion_policy: 0,
        files_per_run: 1024,
        age_in_days: -1,
      }
      const calm = {
        signal: new AbortController().signal,
        isOverdue: () => false,
        progress() {},
        cursor: undefined,
        keep() {},
      }
      return await kind.run({ ...common, ...settings } as never, { ...calm, ...context })
    },
    asGiver: connect({ url: app.origin, user: 'a', password: 'pw', retries: 0 } as never),
    start() {
      stop = new AbortController()
      work = Promise.all([messages.work(stop.signal), feature.work(stop.signal)])
    },
    async stop() {
      stop.abort(new Error('killed'))
      await work
    },
    async statuses() {
      const rows = await catalogue.uploads.list({ limit: 1000 })
      return Object.fromEntries(rows.toReversed().map(row => [row.store_path, row.status]))
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test ends'))
      await work
      await app[Symbol.asyncDispose]()
      // What another life goes on with stays.
      if (!ground) for (const store of world.ground.stores) await store[Symbol.asyncDispose]()
    },
  }
}

/** Announces files as a sender of ours does, numbered from `first`, and asks for them to be fetched. */
export async function announce(
  { asGiver }: Pick<Taker, 'asGiver'>,
  files: Readonly<Record<string, MemoryContent>>,
  {
    first = 1,
    lie = {},
  }: { first?: number; lie?: Readonly<Record<string, { size?: number; checksum?: string }>> } = {},
): Promise<{ source_transfer_id: number; destination_transfer_id: number }[]> {
  const uploads = await Promise.all(
    Object.entries(files).map(async ([name, content], index) => {
      const { size, checksum } = await describeContent(content, undefined)
      return {
        upload_size: lie[name]?.size ?? size,
        upload_checksum: lie[name]?.checksum ?? checksum,
        upload_name: name,
        destination_location: name,
        uploader: 'ada',
        source_transfer_id: first + index,
      }
    }),
  )
  const total_size = uploads.reduce((sum, { upload_size }) => sum + upload_size, 0)
  const staged = await asGiver.clone.batchStage({ source: 'a', total_size, uploads })
  return staged.uploads.map(({ source_transfer_id, destination_transfer_id }) => {
    return { source_transfer_id, destination_transfer_id }
  })
}

export async function until(isSo: () => boolean | Promise<boolean>, what: () => string = () => ''): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`It did not come to that within 20 s ${what()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

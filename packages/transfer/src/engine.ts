/** The one place where the engine is put together: everything that several transfers share. */
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { type Clock, systemClock } from './clock.ts'
import { type Emit, eventLevels } from './events.ts'
import type { ActiveHooks } from './hooks/active-hooks.ts'
import { FileHooks } from './hooks/file-hooks.ts'
import { activeHooks, type Ended, withHooks } from './hooks/open-hooks.ts'
import type { RunEnd } from './hooks.ts'
import { outsideOnly } from './http/addresses.ts'
import type { HttpCredentials } from './http/credentials.ts'
import type { Origins, OriginsOptions } from './http/origins.ts'
import { type Bandwidth, createBandwidth } from './limits/bandwidth.ts'
import { defaultMemoryBudget } from './limits/memory-budget.ts'
import { createOriginLimits, type OriginLimits } from './limits/origin-limits.ts'
import { WorkingSet } from './move/working-set.ts'
import type { EngineOptions, FetchOptions } from './options.ts'
import { Progress } from './progress.ts'
import { Publisher } from './publish/publisher.ts'
import { Staging } from './publish/staging.ts'
import { addressesOf } from './reach.ts'
import type { Engine } from './shared-engine.ts'
import { Slots } from './slots.ts'
import type { Source } from './source.ts'
import type { SourceContext } from './sources/context.ts'
import { openSource } from './sources/registry.ts'
import { type CpuPool, createCpuPool } from './workers/cpu-pool.ts'
import { createHashPool, type HashPool } from './workers/hash-pool.ts'
import { TransformThreads } from './workers/transform-threads.ts'

export type { Engine }

/** What the engine's own code uses. */
export interface EngineParts extends Engine {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly emit: Emit
  readonly slots: Slots
  /** How much of the slots' budget is worth using. */
  readonly workingSet: WorkingSet
  readonly limits: OriginLimits
  /** Of moves that have requests under way. */
  readonly underWay: Set<UnderWay>
  readonly bandwidth: Bandwidth
  /** Most connections per origin. */
  readonly connections: number
  readonly pool: HashPool
  /** Threads for the caller's own functions. */
  readonly cpu: CpuPool
  /** Threads for the caller's passes over bytes. */
  readonly transforms: TransformThreads
  readonly publisher: Publisher
  /** The private directory for small files whose names lie under `root`. */
  stagingFor(root: string): Staging
  /** What sources are opened with. */
  contextFor(options: FetchOptions): Promise<SourceContext>
  openSources(uris: readonly string[], options: FetchOptions, known?: Known): Promise<Source[]>
}

/** Requests of one move. */
export interface UnderWay {
  giveUpSilent(silentMs: number): void
}

/** What is known of a resource before it is opened. */
export type Known = Pick<SourceContext, 'isKnown' | 'size'> & {
  /** Hooks of the file that it is opened for. */
  readonly hooks?: FileHooks | undefined
}

const engines = new WeakMap<Engine, EngineParts>()

/**
 * An engine to share between calls. Without one, each call makes its own and closes it.
 *
 * @example
 * ```ts
 * await using engine = createEngine({ connections: 8 })
 * await download('https://example.org/a.fits', 'a.fits', { engine })
 * ```
 */
export function createEngine(options: EngineOptions = {}): Engine {
  return createParts(options)
}

/** The parts behind a caller's engine. */
export function partsOf(engine: Engine): EngineParts {
  const parts = engines.get(engine)
  if (!parts) throw new TypeError('This engine was not made by createEngine()')
  return parts
}

/** Runs with the caller's engine, or with one that lives as long as `use`. */
export async function withEngine<T>(
  options: Pick<FetchOptions, 'engine'>,
  use: (parts: EngineParts) => Promise<T>,
): Promise<T> {
  if (options.engine) return use(partsOf(options.engine))
  const parts = createParts({})
  try {
    return await use(parts)
  } finally {
    await parts.close()
  }
}

/**
 * The same for one call of a caller's: their hooks are ready in the options that `use` is given, and hear of the end.
 *
 * @param endOf what `onDone` is told; none for calls that fetch nothing
 */
export function withCall<Options extends FetchOptions, T>(
  options: Options,
  use: (parts: EngineParts, options: Options) => Promise<T>,
  endOf?: (ended: Ended<T>) => RunEnd,
): Promise<T> {
  return withEngine(options, parts => withHooks(parts, options, opened => use(parts, opened), endOf))
}

export function createParts(options: EngineOptions, clock: Clock = systemClock): EngineParts {
  const { connections = 16, totalConnections = 128, limitRate, hashWorkers } = options
  const slots = new Slots({ budget: options.memoryBudget ?? defaultMemoryBudget() })
  const pool = createHashPool({ buffer: slots.buffer, size: hashWorkers ?? Math.min(4, availableParallelism()) })
  const cpu = createCpuPool({ size: options.cpuWorkers, maxHeap: options.cpuWorkerHeap })
  const transforms = new TransformThreads({ size: options.cpuWorkers, maxHeap: options.cpuWorkerHeap })
  const workingSet = new WorkingSet(slots.budget)
  const limits = createOriginLimits({ perOrigin: connections, total: totalConnections, clock })
  const bandwidth = createBandwidth({ total: limitRate, perOrigin: options.limitRatePerOrigin, clock })
  const publisher = new Publisher(slots.buffer)
  const stagings = new Map<string, Staging>()
  const credentials = new WeakMap<object, HttpCredentials>()
  const shared = new Map<string, object>()
  const run = randomBytes(4).toString('hex')
  let closing: Promise<void> | undefined

  const { timeouts, ca, insecure, proxyFromEnvironment, onEvent, eventLevel = 'TRACE' } = options
  const leastLevel = eventLevels.indexOf(eventLevel)
  const network = { timeouts, tls: { ca, rejectUnauthorized: insecure ? false : undefined } }

  const proxyEnvironment = proxyFromEnvironment ? process.env : undefined
  const reach = options.reach && addressesOf(options.reach)
  const outer = reach ?? outsideOnly
  const everywhere = originsOnce({ ...network, proxyEnvironment, addresses: reach })
  const outside = originsOnce({ ...network, proxyEnvironment, addresses: outer })

  const sharedOnce = <T extends object>(key: string, make: () => T): T => {
    const one = (shared.get(key) as T | undefined) ?? make()
    shared.set(key, one)
    return one
  }

  /** One provider per hooks: connections are not shared between providers. */
  const credentialsOf = async (hooks: ActiveHooks): Promise<HttpCredentials> => {
    const { identity } = hooks
    const known = credentials.get(identity)
    if (known) return known
    const { hookCredentials } = await import('./http/hook-credentials.ts')
    const made = credentials.get(identity) ?? hookCredentials(request => hooks.credentials(request))
    credentials.set(identity, made)
    return made
  }

  const contextFor = async (fetchOptions: FetchOptions, known?: Omit<Known, 'hooks'>): Promise<SourceContext> => {
    const hooks = activeHooks(fetchOptions)
    const provider = hooks?.has('credentials') ? await credentialsOf(hooks) : undefined
    const context: SourceContext = {
      options: { ...fetchOptions, credentials: provider },
      ...known,
      ...network,
      origins: everywhere.get,
      addresses: reach,
      shared: sharedOnce,
      outside() {
        const strict: SourceContext = {
          ...context,
          origins: outside.get,
          addresses: outer,
          outside: () => strict,
          open: (other, options) => openSource(other, { ...strict, options }),
        }
        return strict
      },
      open: (other, options) => openSource(other, { ...context, options }),
    }
    return context
  }

  const openOne = async (uri: string, fetchOptions: FetchOptions, { hooks, ...known }: Known = {}): Promise<Source> => {
    const all = activeHooks(fetchOptions)
    const asked = hooks ?? (all && new FileHooks(all, fetchOptions.signal))
    const context = await contextFor(fetchOptions, known)
    if (!asked?.has('resolve')) return openSource(uri, context)
    const { openResolving } = await import('./sources/resolving.ts')
    return openResolving(uri, {
      resolve: () => asked.resolve(uri),
      open: address => openSource(address, context),
    })
  }

  const close = async () => {
    bandwidth.close()
    await publisher.close()
    await Promise.all([...stagings.values()].map(staging => staging.close()))
    await Promise.all([pool.close(), cpu.close(), transforms.close()])
    limits.close()
    await Promise.all([...shared.values()].map(dispose))
    await Promise.all([everywhere.close(), outside.close()])
  }

  const parts: EngineParts = {
    clock,
    random: Math.random,
    progress: new Progress(),
    emit: event => {
      if (!onEvent || eventLevels.indexOf(event.level) < leastLevel) return
      onEvent({ ts: new Date(clock.wallNow()).toISOString(), run, ...event })
    },
    slots,
    workingSet,
    limits,
    underWay: new Set(),
    bandwidth,
    limitRate: bytesPerSecond => bandwidth.setTotal(bytesPerSecond),
    redial(silentMs) {
      for (const requests of [...parts.underWay]) requests.giveUpSilent(silentMs)
    },
    connections,
    pool,
    cpu,
    transforms,
    publisher,
    stagingFor(directory) {
      const root = resolve(directory)
      const staging = stagings.get(root) ?? new Staging(root)
      stagings.set(root, staging)
      return staging
    },
    contextFor,
    openSources: (uris, fetchOptions, known) =>
      Promise.all(
        uris.map(async uri => {
          const source = await openOne(uri, fetchOptions, known)
          const most = options.connections === undefined ? source.capabilities.connections : undefined
          if (most !== undefined) limits.lower(source.origin, most)
          return source
        }),
      ),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => parts.close(),
  }
  engines.set(parts, parts)
  return parts
}

/** Made when the first HTTP source is opened: most of it is loaded only then. */
function originsOnce(options: OriginsOptions): { get(): Promise<Origins>; close(): Promise<void> } {
  let made: Promise<Origins> | undefined
  return {
    get: () => (made ??= import('./http/origins.ts').then(({ Origins }) => new Origins(options))),
    close: async () => (await made)?.close(),
  }
}

function dispose(one: Partial<AsyncDisposable>): PromiseLike<void> | undefined {
  return one[Symbol.asyncDispose]?.()
}

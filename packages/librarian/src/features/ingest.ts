/** Fetching on behalf of users: off unless the settings name hosts. */
import { createEngine, type Engine, type Reach } from '@arriero/transfer'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { IngestSettings } from '../config.ts'
import type { TaskEngine } from '../engine/engine.ts'
import type { Log } from '../log.ts'
import { ingestRoutes } from '../routes/ingest.ts'
import type { Route } from '../routes/route.ts'
import { allowsHost } from '../services/ingest/allows-host.ts'
import { createJobDriver } from '../services/ingest/drive-jobs.ts'
import { createIngest } from '../services/ingest/ingest.ts'
import type { JobRunner } from '../services/ingest/job-runner.ts'
import { createIngestRunner } from '../services/ingest/run-job.ts'
import { sourceOptions } from '../services/ingest/source-options.ts'
import type { Uploads } from '../services/uploads/uploads.ts'
import type { Stores } from '../stores/stores.ts'

export interface IngestFeatureOptions {
  readonly settings: { readonly ingest: IngestSettings }
  readonly catalogue: Catalogue
  readonly stores: Stores
  readonly uploads: Uploads
  readonly engine: TaskEngine
  readonly clock: Clock
  readonly log: Log
  /** This process, as leases name it. */
  readonly holder: string
  readonly tuning?: {
    readonly retryMs?: number
    readonly everyMs?: number
    readonly leaseSeconds?: number
    readonly lookup?: Reach['lookup']
  }
}

export interface IngestFeature {
  readonly routes: readonly Route[]
  readonly jobs: JobRunner
  /** Says how jobs are done, so that they can be wanted. */
  readonly recover: () => Promise<void>
  /** Until the signal. */
  readonly work: (signal: AbortSignal) => Promise<void>
  readonly close: () => Promise<void>
}

/** Of memory for what is on its way. */
const MEMORY = 128 << 20

export function createIngestFeature(options: IngestFeatureOptions): IngestFeature {
  const { settings, clock, log, tuning = {} } = options
  const { ingest } = settings
  const engines = new Map<string | undefined, Engine>()
  const fetching = (credentials: string | undefined) => {
    const one = engines.get(credentials) ?? openEngine(ingest, tuning.lookup)
    engines.set(credentials, one)
    return one
  }
  const jobs = createIngestRunner({
    ...options,
    engine: fetching,
    schemes: ingest.schemes,
    credentials: ingest.credentials,
    sourceOptions: name => sourceOptions(ingest, name),
    concurrency: ingest.itemsAtOnce,
    retryMs: tuning.retryMs,
    seconds: tuning.leaseSeconds,
  })
  const { engine } = options
  const driver = createJobDriver({
    runner: jobs,
    engine,
    clock,
    log,
    jobs: ingest.jobsAtOnce,
    everyMs: tuning.everyMs,
  })
  const service = createIngest({
    catalogue: options.catalogue,
    isOff: ingest.hosts.length === 0,
    schemes: ingest.schemes,
    credentials: ingest.credentials,
    onChange: id => driver.wake(id),
  })
  return {
    routes: ingestRoutes(service),
    jobs,
    recover: () => driver.start(),
    work: signal => driver.work(signal),
    async close() {
      await Promise.all([...engines.values()].map(one => one.close()))
    },
  }
}

/** No proxies of the environment, no host that is not listed, no address inside that is not (reliability 6). */
function openEngine(ingest: IngestSettings, lookup: Reach['lookup']): Engine {
  return createEngine({
    memoryBudget: MEMORY,
    proxyFromEnvironment: false,
    reach: { isHostAllowed: (host, port) => allowsHost(ingest, host, port), networks: ingest.networks, lookup },
  })
}

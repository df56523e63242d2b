/** A world with its wire: the real app, a real socket, memory below. */
import { randomBytes } from 'node:crypto'
import type { Level } from '@arriero/api'
import { systemClock } from '../src/clock.ts'
import { type Bytes, type BytesOptions, createBytes } from '../src/features/bytes.ts'
import { type Log, silentLog } from '../src/log.ts'
import { type CopyReader, createCopyReader } from '../src/services/copies/read-copies.ts'
import { createAlarms } from '../src/services/create-alarms.ts'
import { type RawApp, startRawApp } from './raw-app.ts'
import { openWorld, type World, type WorldOptions } from './world.ts'

export interface BytesApp extends AsyncDisposable {
  readonly world: World
  readonly bytes: Bytes
  readonly reader: CopyReader
  readonly app: RawApp
  /** Errors in the log. */
  readonly told: readonly string[]
}

export interface BytesAppOptions extends WorldOptions {
  readonly tuning?: BytesOptions['tuning']
  readonly users?: Readonly<Record<string, Level>>
}

export async function startBytesApp(options: BytesAppOptions = {}): Promise<BytesApp> {
  const { tuning, users } = options
  const told: string[] = []
  const log: Log = { ...silentLog, error: (_, message) => void told.push(message) }
  const world = await openWorld(options)
  for (const username of ['ada', 'ben', ...Object.keys(users ?? {})]) {
    await world.ground.catalogue.accounts.create({ username, authToken: 'of nobody', level: 'READAPPEND' })
  }
  const catalogue = options.wrapCatalogue?.(world.ground.catalogue) ?? world.ground.catalogue
  const { stores } = world
  const reader = createCopyReader({
    catalogue,
    stores,
    alarms: createAlarms({ catalogue, log }),
    log,
    by: 'here',
    atOnce: 2,
  })
  const bytes = await createBytes({
    settings: {
      name: 'here',
      displayedSiteName: 'Here',
      displayedSiteDescription: 'A place',
      maximalUploadSize: 1 << 30,
      encryptionKey: undefined,
    },
    catalogue,
    stores,
    clock: options.clock ?? systemClock,
    log,
    random: randomBytes,
    uploads: world.uploads,
    turns: world.turns,
    reader,
    ...(tuning ? { tuning } : {}),
  })
  const app = await startRawApp({ rawRoutes: bytes.rawRoutes, ...(users ? { users } : {}), log })
  return {
    world,
    bytes,
    reader,
    app,
    told,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await reader.settled()
      await world.ground.catalogue.close()
    },
  }
}

/** The server's process, from settings to the end: what `arriero serve` runs. */
import { refuseIfPublic } from './config/files.ts'
import type { Settings } from './config.ts'
import type { Log } from './log.ts'
import { type Librarian, type Listening, openLibrarian } from './open-librarian.ts'
import type { MadeAdmin } from './setup/first-admin.ts'
import { giveAdmin, type WantedAdmin } from './setup/give-admin.ts'
import type { TaskRunReport } from './tasks/scheduler.ts'

export interface ServeOptions {
  readonly settings: Settings
  readonly log: Log
  /** Stops it, gracefully. */
  readonly signal: AbortSignal
  /** Told once, when calls are answered (for a worker: when it works). */
  readonly onReady: (ready: Ready) => void
  readonly admin: WantedAdmin
  readonly overwriteStores?: boolean | undefined
  /** There is a backup of the catalogue in PostgreSQL: its schema may be changed. */
  readonly isBackedUp?: boolean | undefined
}

export interface Ready {
  readonly settings: Settings
  /** Of a worker: where it is asked how it is; undefined: nowhere. */
  readonly listening: Listening | undefined
  /** Undefined where there was one, and nothing was to be changed. */
  readonly admin: MadeAdmin | undefined
}

/** Resolves when everything has ended. `Configuration` with what to do, where it must not start. */
export async function serve(options: ServeOptions): Promise<void> {
  const { settings, log, signal, onReady, overwriteStores, isBackedUp } = options
  refusePublicCatalogue(settings)
  const librarian = await openLibrarian({ settings, log, overwriteStores, isBackedUp })
  try {
    let admin: MadeAdmin | undefined
    // Not before it listens: where that fails, nobody would be shown a password that counts from then on. Not after the work
    // begins: a backup without an administrator, put back, leaves nobody who can log in.
    const beforeWork = async () => {
      admin = await adminOf(options, librarian)
    }
    const listening = await librarian.start({ beforeWork })
    onReady({ settings, listening, admin })
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  } finally {
    await librarian.stop()
  }
}

/**
 * Everything that a first start makes, without a server: the catalogue and its schema, the stores, the first administrator. So
 * one process does it, while those that are to serve wait.
 */
export async function prepare(options: Omit<ServeOptions, 'signal' | 'onReady'>): Promise<MadeAdmin | undefined> {
  const { settings, admin } = options
  refusePublicCatalogue(settings)
  const librarian = await openLibrarian(options)
  try {
    return await giveAdmin(librarian.catalogue, admin)
  } finally {
    await librarian.stop()
  }
}

export type RunTasksOptions = Pick<ServeOptions, 'settings' | 'log' | 'signal' | 'overwriteStores' | 'isBackedUp'>

/** Every recurring task once, without a server: what `--once` does. Rejects with the signal's reason. */
export async function runTasks(options: RunTasksOptions): Promise<readonly TaskRunReport[]> {
  const { settings, signal } = options
  refusePublicCatalogue(settings)
  const librarian = await openLibrarian({ ...options, settings: { ...settings, role: 'worker' } })
  try {
    return await librarian.runTasks(signal)
  } finally {
    await librarian.stop()
  }
}

/** It holds hashes of passwords and where everything is. */
function refusePublicCatalogue({ catalogue }: Settings): void {
  if (catalogue.engine === 'sqlite') refuseIfPublic(catalogue.path, 'the catalogue')
}

async function adminOf({ admin, settings }: ServeOptions, { catalogue }: Librarian): Promise<MadeAdmin | undefined> {
  // A worker beside others leaves the first one to those who answer calls.
  return settings.role === 'worker' && !admin.isReset ? undefined : await giveAdmin(catalogue, admin)
}

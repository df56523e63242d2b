/** The server's process, from settings to the end: what `arriero serve` runs. */
import { randomBytes } from 'node:crypto'
import { createPasswords } from './auth/passwords.ts'
import { refuseIfPublic } from './config/files.ts'
import type { Secret, Settings } from './config.ts'
import type { Log } from './log.ts'
import { type Listening, openLibrarian } from './open-librarian.ts'
import { ensureAdmin, type MadeAdmin, resetAdmin } from './setup/first-admin.ts'

export interface ServeOptions {
  readonly settings: Settings
  readonly log: Log
  /** Stops it, gracefully. */
  readonly signal: AbortSignal
  /** Told once, when calls are answered (for a worker: when it works). */
  readonly onReady: (ready: Ready) => void
  readonly admin: {
    /** Of the first administrator. */
    readonly username: string
    /** Default: one is made. */
    readonly password?: Secret | undefined
    /** Give this user a new password and the highest level. */
    readonly isReset?: boolean
  }
  readonly overwriteStores?: boolean | undefined
  /** There is a backup of the catalogue in PostgreSQL: its schema may be changed. */
  readonly isBackedUp?: boolean | undefined
}

export interface Ready {
  readonly settings: Settings
  /** Undefined for a worker. */
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
    const listening = await librarian.start()
    // Not before: where the start fails, nobody would be shown a password that counts from then on.
    const admin = await adminOf(options, librarian.catalogue)
    onReady({ settings, listening, admin })
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  } finally {
    await librarian.stop()
  }
}

/** It holds hashes of passwords and where everything is. */
function refusePublicCatalogue({ catalogue }: Settings): void {
  if (catalogue.engine === 'sqlite') refuseIfPublic(catalogue.path, 'the catalogue')
}

function adminOf(
  { admin: { isReset = false, ...admin }, settings }: ServeOptions,
  catalogue: Parameters<typeof ensureAdmin>[0]['catalogue'],
): Promise<MadeAdmin | undefined> {
  const options = { catalogue, passwords: createPasswords({ random: randomBytes }), random: randomBytes, ...admin }
  if (isReset) return resetAdmin(options)
  // A worker beside others leaves that to those who answer calls.
  return settings.role === 'worker' ? Promise.resolve(undefined) : ensureAdmin(options)
}

/** An administrator for a catalogue: when its server starts, or while none runs on it. */
import { randomBytes } from 'node:crypto'
import { createPasswords } from '../auth/passwords.ts'
import { openCatalogue } from '../catalogue/open.ts'
import type { Secret, Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { type AdminOptions, ensureAdmin, type MadeAdmin, resetAdmin } from './first-admin.ts'

export interface WantedAdmin {
  /** Of the first administrator. */
  readonly username: string
  /** Default: one is made. */
  readonly password?: Secret | undefined
  /** Give this user a new password and the highest level. Default: only where there is no administrator. */
  readonly isReset?: boolean | undefined
}

/** Undefined where there was one, and nothing was to be changed. */
export function giveAdmin(
  catalogue: AdminOptions['catalogue'],
  { isReset = false, ...admin }: WantedAdmin,
): Promise<MadeAdmin | undefined> {
  const options = { catalogue, passwords: createPasswords({ random: randomBytes }), random: randomBytes, ...admin }
  return isReset ? resetAdmin(options) : ensureAdmin(options)
}

/** The same to the catalogue of the settings, on which no server runs: one that was made again has no users. */
export async function giveAdminOffline({
  settings: { catalogue: where },
  log,
  admin,
}: {
  readonly settings: Pick<Settings, 'catalogue'>
  readonly log: Log
  readonly admin: WantedAdmin
}): Promise<MadeAdmin | undefined> {
  const url = where.engine === 'sqlite' ? where.path : where.url.reveal()
  const catalogue = await openCatalogue({ url, log, mustExist: true })
  try {
    return await giveAdmin(catalogue, admin)
  } finally {
    await catalogue.close()
  }
}

/** The first user, and the way back in for who has lost the password: both only on the machine itself. */
import { LibrarianError } from '@arriero/api'
import type { Passwords } from '../auth/passwords.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Secret } from '../config.ts'
import { Secret as SecretText } from '../config.ts'
import { randomPassword } from './random-password.ts'

export interface MadeAdmin {
  readonly username: string
  /** Undefined: the caller brought it. */
  readonly generated: Secret | undefined
}

export interface AdminOptions {
  readonly catalogue: Pick<Catalogue, 'accounts'>
  readonly passwords: Passwords
  readonly random: (bytes: number) => Buffer
  readonly username: string
  /** Default: one is made, told once, and kept nowhere but as a hash. */
  readonly password?: Secret | undefined
}

/** Adds an administrator where there is none; undefined where there is. */
export async function ensureAdmin(options: AdminOptions): Promise<MadeAdmin | undefined> {
  return (await options.catalogue.accounts.countAdmins()) > 0 ? undefined : setAdmin(options, 'the first administrator')
}

/** Gives a user the highest level and a new password; adds the user where there is none. */
export function resetAdmin(options: AdminOptions): Promise<MadeAdmin> {
  return setAdmin(options, 'reset on the machine itself')
}

async function setAdmin(options: AdminOptions, reason: string): Promise<MadeAdmin> {
  const { catalogue, passwords, random, username, password } = options
  const generated = password ? undefined : new SecretText(randomPassword(random))
  const authToken = await passwords.hash((password ?? generated)!.reveal())
  const level = 'ADMIN'
  const act = { actor: 'operator', action: 'admin', subject: username, detail: { reason } }
  const account = { username, authToken, level, act } as const
  const isSet = (await catalogue.accounts.create(account)) || (await catalogue.accounts.update(account))
  if (!isSet) {
    throw new LibrarianError(
      'Configuration',
      `Cannot make ${username} an administrator: a user of this name was removed`,
      {
        remedy: 'Choose another name; names of removed users stay taken, because files name their owners.',
      },
    )
  }
  return { username, generated }
}

/** Users of this librarian (librarian 10.7). */
import { type Level, LibrarianError } from '@arriero/api'
import { isName } from '../auth/authenticator.ts'
import type { Passwords } from '../auth/passwords.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Caller } from '../routes/route.ts'
import type { Act } from './act.ts'

export interface Users {
  /** `Conflict`: the name is taken, or was: what a removed user has left behind shall not become another's. */
  create(user: { username: string; password: string; level: Level }, act?: Act): Promise<void>
  /** `NotFound`; `Conflict`: one's own level, the last administrator's. What is undefined stays. */
  update(
    change: { username: string; password?: string | undefined; level?: Level | undefined },
    caller: Caller,
    act?: Act,
  ): Promise<void>
  /** `NotFound`; `Conflict`: oneself, the last administrator. */
  remove(username: string, caller: Caller, act?: Act): Promise<void>
  /** `NotFound`. */
  levelOf(username: string): Promise<Level>
  /** By name, those after a name. */
  list(page: { after?: string | undefined; limit: number }): Promise<{ username: string; level: Level }[]>
  /** `Denied`: the old password is another; `NotFound`. */
  changePassword(change: { username: string; old: string; new: string }, act?: Act): Promise<void>
}

/** Together with the name they travel in one header of at most a KiB. */
const maxCredentialBytes = 1024

export function createUsers({
  catalogue: { accounts },
  passwords,
}: {
  catalogue: Pick<Catalogue, 'accounts'>
  passwords: Passwords
}): Users {
  return {
    async create({ username, password, level }, act) {
      if (!isName(username)) {
        throw new LibrarianError(
          'BadName',
          'Cannot add the user: a user’s name must be 1 to 256 characters without colons or control characters',
          { remedy: 'Choose another name for the user.' },
        )
      }
      demandUsable(username, password)
      const authToken = await passwords.hash(password)
      if (await accounts.create({ username, authToken, level, act: act?.entry() })) return
      throw new LibrarianError('Conflict', `Cannot add the user ${username}: the name is taken, or was`, {
        remedy: 'Choose another name; names of removed users stay taken, because files name their owners.',
      })
    },

    async update({ username, password, level }, caller, act) {
      if (level !== undefined && username === caller.name && level !== caller.level) {
        throw new LibrarianError('Conflict', 'Cannot change the level: nobody may change their own', {
          remedy: 'Ask another administrator.',
        })
      }
      if (password !== undefined) demandUsable(username, password)
      const authToken = password === undefined ? undefined : await passwords.hash(password)
      demandFound(await accounts.update({ username, authToken, level, act: act?.entry() }), username)
    },

    async remove(username, caller, act) {
      if (username === caller.name) {
        throw new LibrarianError('Conflict', 'Cannot remove the user: nobody may remove themselves', {
          remedy: 'Ask another administrator.',
        })
      }
      demandFound(await accounts.remove({ username, act: act?.entry() }), username)
    },

    async levelOf(username) {
      const account = isName(username) ? await accounts.find({ username }) : undefined
      demandFound(account !== undefined, username)
      return account!.level
    },

    list: page => accounts.list(page),

    async changePassword({ username, old, new: fresh }, act) {
      const account = await accounts.find({ username })
      demandFound(account !== undefined, username)
      if (!(await passwords.verify(account!.authToken, old))) {
        throw new LibrarianError('Denied', 'Cannot change the password: the present one must be given')
      }
      demandUsable(username, fresh)
      const authToken = await passwords.hash(fresh)
      demandFound(await accounts.update({ username, authToken, act: act?.entry() }), username)
    },
  }
}

function demandUsable(username: string, password: string): void {
  const bytes = Buffer.byteLength(username) + 1 + Buffer.byteLength(password)
  if (password !== '' && bytes <= maxCredentialBytes) return
  throw new LibrarianError(
    'BadRequest',
    `Cannot take the password: it must not be empty, and with the name at most ${maxCredentialBytes} bytes long`,
  )
}

function demandFound(isThere: boolean, username: string): void {
  if (!isThere) throw new LibrarianError('NotFound', `Cannot find ${username} among the users`)
}

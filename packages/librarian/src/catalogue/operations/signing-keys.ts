/** Public keys of other librarians: what they sign is believed only by these. */
import { LibrarianError } from '@arriero/api/errors'
import { audited } from '../audited.ts'
import { read } from '../operation.ts'

export const signingKeys = {
  /** Undefined: none is known. */
  of: read<{ name: string }, string | undefined>(async ({ sql }, { name }) => {
    const row = await sql.selectFrom('peer').select('signing_key').where('name', '=', name).executeTakeFirst()
    return row?.signing_key ?? undefined
  }),

  /** Resolves to the key that counts: the one that was there, unless it is to be replaced. @throws UnknownLibrarian */
  pin: audited<{ name: string; key: string; replace: boolean }, string>(async ({ sql }, { name, key, replace }) => {
    const row = await sql.selectFrom('peer').select('signing_key').where('name', '=', name).executeTakeFirst()
    if (!row) throw new LibrarianError('UnknownLibrarian', `Cannot keep a key of ${name}: there is no such librarian`)
    if (row.signing_key !== null && !replace) return row.signing_key
    await sql.updateTable('peer').set({ signing_key: key }).where('name', '=', name).execute()
    return key
  }),
}

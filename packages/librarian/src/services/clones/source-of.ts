import { LibrarianError } from '@arriero/api'
import type { Caller } from '../../routes/route.ts'

export interface Told {
  readonly source: string
  readonly uploader: string
}

/** The librarian that sends, and who uploaded the file first as far as that is told. */
export interface Origin {
  readonly source: string
  readonly firstUploader: string
}

/**
 * Who sends a clone: the program of old swaps the two where it takes in a carried disk (librarian 11.7, Q10), which is seen by
 * which of them is a librarian. Only that librarian's own account may send in its name, or an administrator: it is told
 * afterwards that its file is kept here.
 *
 * @throws LibrarianError Denied
 */
export function sourceOf({ source, uploader }: Told, peers: ReadonlySet<string>, { name, level }: Caller): Origin {
  const isSwapped = !peers.has(source) && peers.has(uploader)
  const origin = isSwapped ? { source: uploader, firstUploader: source } : { source, firstUploader: uploader }
  if (!peers.has(origin.source) || origin.source === name || level === 'ADMIN') return origin
  const must = `the account must be called ${origin.source}, as the librarian is, it is ${name}`
  throw new LibrarianError('Denied', `Cannot take clones of ${origin.source}: ${must}`)
}

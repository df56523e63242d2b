/** The destination says that it has a file of this name already, or nobody knows what became of it: is it this one (librarian 11.5)? */
import { type Connection, LibrarianError } from '@arriero/api'
import { OTHER_CONTENT, type OutgoingTransfer } from '../../catalogue/operations/outgoing-states.ts'

export type Announced = Pick<OutgoingTransfer, 'file_name' | 'transfer_checksum'>

export type Comparison =
  | { readonly isSame: true; readonly storeIds: readonly number[] }
  /** `other`: which content it has there; undefined: none. `isThere`: whether a file of this name is known there. */
  | { readonly isSame: false; readonly reason: string; readonly other: string | undefined; readonly isThere: boolean }

/** @throws LibrarianError where it could not be asked */
export async function compareRemote(
  connection: Connection,
  { file_name: name, transfer_checksum: checksum }: Announced,
  { signal }: { signal: AbortSignal },
): Promise<Comparison> {
  const found = name === null ? [] : await findRemote(connection, name, signal)
  const isThere = found.length > 0
  const differs = (reason: string, other?: string): Comparison => ({ isSame: false, reason, other, isThere })
  if (!isThere) return differs('The destination has no such file.')
  const others = found.filter(each => withoutFunction(each.checksum) !== withoutFunction(checksum))
  if (others.length > 0) return differs(OTHER_CONTENT, others.map(each => each.checksum).join(' and '))
  const stores = found.flatMap(({ instances }) => instances.flatMap(({ store_id }) => store_id ?? []))
  if (stores.length === 0) return differs('The destination knows the file and tells of no copy that it holds.')
  return { isSame: true, storeIds: [...new Set(stores)] }
}

async function findRemote(connection: Connection, name: string, signal: AbortSignal) {
  try {
    return (await connection.search.file({ name }, { signal })).filter(each => each.name === name)
  } catch (error) {
    if (error instanceof LibrarianError && error.code === 'NotFound') return []
    throw error
  }
}

/** A bare md5 of old and one that says so are the same (librarian 6.5). */
function withoutFunction(checksum: string | null): string {
  return checksum?.replace(/^md5:::/, '') ?? ''
}

/** What lies under its final name already: read in full and compared, as a private copy would be. */
import { checksumsMatch, LibrarianError } from '@arriero/api'
import type { Outcome, Prepared, Store } from '../../stores/store.ts'
import type { CommitRequest } from './commits.ts'
import { asLibrarianError } from './failures.ts'

export async function prepareInPlace(store: Store, request: CommitRequest): Promise<Outcome<Prepared>> {
  try {
    return { ok: true, value: await readInPlace(store, request) }
  } catch (error) {
    return { ok: false, error: asLibrarianError(error) }
  }
}

async function readInPlace(store: Store, { name, size, checksum }: CommitRequest): Promise<Prepared> {
  const stat = await store.stat(name)
  if (!stat)
    throw new LibrarianError('StagedNotFound', `Cannot take ${name}: it must lie in the store, there is nothing`)
  const reading = await store.examine(name, { kind: stat.kind, checksum: checksum ?? 'xxh3:::' })
  if (reading.outcome !== 'read') {
    const code = reading.outcome === 'unavailable' ? 'StoreUnavailable' : 'Unacceptable'
    throw new LibrarianError(
      code,
      `Cannot take ${name}: it must be readable, it is ${reading.outcome}: ${reading.reason}`,
    )
  }
  if (reading.size !== size || (checksum !== undefined && !checksumsMatch(reading.checksum, checksum))) {
    const message = `Cannot take ${name}: it must be ${size} bytes with ${checksum ?? 'any checksum'}, it is ${reading.size} bytes with ${reading.checksum}`
    throw new LibrarianError('Mismatch', message)
  }
  const { sha256, manifest } = reading
  return { kind: stat.kind, size, checksum: reading.checksum, sha256, manifest }
}

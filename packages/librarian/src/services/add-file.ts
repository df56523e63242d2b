/** Registers what lies in a store already, under its own name there: read in full, compared, durable (librarian 10.8). */
import { type Instant, isWholeChecksum, LibrarianError, parseFileName } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Stores } from '../stores/stores.ts'
import type { Act } from './act.ts'
import type { Commits } from './commit/commits.ts'

export interface AddFileRequest {
  readonly name: string
  readonly createTime: Instant
  readonly size: number
  readonly checksum: string
  readonly uploader: string
  readonly source: string
  /** Absolute: where it lies, which must be where the store keeps this name. */
  readonly path: string
  readonly storeName: string
}

export interface AddFileOptions {
  readonly catalogue: Pick<Catalogue, 'instances'>
  readonly stores: Pick<Stores, 'byName'>
  readonly commits: Pick<Commits, 'commit'>
}

export type AddFile = (request: AddFileRequest, act?: Act) => Promise<'added' | 'already-exists'>

/** @throws LibrarianError `UnknownStore`, `BadName`, `BadRequest`, `StagedNotFound`, `Mismatch`, `Unacceptable`, `FileExists` */
export function createAddFile({ catalogue, stores, commits }: AddFileOptions): AddFile {
  return async ({ name, path, storeName, size, checksum, createTime, uploader, source }, act) => {
    const site = stores.byName(storeName)
    if (!site) throw new LibrarianError('UnknownStore', `Cannot add ${name}: there is no store ${storeName}`)
    parseFileName(name)
    if (await catalogue.instances.ofFile({ name })) return 'already-exists'
    if (size < 0 || !isWholeChecksum(checksum)) {
      throw new LibrarianError(
        'BadRequest',
        `Cannot add ${name}: it must have a size and a checksum, got ${size} and "${checksum}"`,
      )
    }
    const expected = site.store.pathOf(name)
    // Whether something lies elsewhere on this machine is nobody's business, an administrator's included.
    if (path !== expected) {
      throw new LibrarianError('StagedNotFound', `Cannot add ${name}: it must lie at ${expected}, not at ${path}`)
    }
    await commits.commit({
      name,
      store: site,
      origin: { from: 'place' },
      size,
      checksum,
      deletionPolicy: 'DISALLOWED',
      uploader,
      source,
      createTime,
      act,
    })
    return 'added'
  }
}

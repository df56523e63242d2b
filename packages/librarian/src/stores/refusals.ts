/** The errors that every store has in common, so that they read alike. */
import { LibrarianError } from '@arriero/api/errors'
import { printable } from '@arriero/transfer/paths'
import type { Unavailable, Work } from './store.ts'

/** What a work must be and what was met; without a checksum, the size alone was reason enough not to read it. */
export function mismatch(
  what: string,
  { size, checksum }: Pick<Work, 'size' | 'checksum'>,
  met: { readonly size: number; readonly checksum?: string },
): LibrarianError {
  const shown = (bytes: number, digest: string | undefined) => `${bytes} bytes${digest ? ` with ${digest}` : ''}`
  const message = `Cannot commit ${printable(what)}: it must be ${shown(size, checksum)}, it is ${shown(met.size, met.checksum)}`
  return new LibrarianError('Mismatch', message)
}

export function stagedNotFound(what: string): LibrarianError {
  return new LibrarianError(
    'StagedNotFound',
    `Cannot commit ${printable(what)}: it must have been staged, there is nothing`,
  )
}

export function notPrepared(id: string, name: string): LibrarianError {
  const message = `Cannot publish ${printable(name)}: work ${id} must have been prepared, there is no private copy of it`
  return new LibrarianError('StagedNotFound', message)
}

export function unacceptable(what: string, must: string, met: string, remedy?: string): LibrarianError {
  return new LibrarianError('Unacceptable', `Cannot take ${printable(what)}: ${must}, ${met}`, { remedy })
}

export function keepsNoTrees(store: string): LibrarianError {
  const message = `Cannot take a directory: store ${store} must keep directories as one file, it keeps files only`
  const remedy = 'Send its files one by one (--each), or have it sent to a store on a file system.'
  return new LibrarianError('Unacceptable', message, { remedy })
}

export function fileExists(name: string, met: string): LibrarianError {
  return new LibrarianError('FileExists', `Cannot publish ${printable(name)}: the name must be free, ${met}`)
}

export function notFound(name: string, member?: string): LibrarianError {
  const shown = printable(member === undefined ? name : `${name}/${member}`)
  return new LibrarianError('NotFound', `Cannot open ${shown}: there is nothing under this name`)
}

export function notInTrash(name: string, id: string): LibrarianError {
  return new LibrarianError('NotFound', `Cannot restore ${printable(name)}: the trash must have ${id}, it has not`)
}

const ofThePlace: ReadonlySet<LibrarianError['code']> = new Set(['NoSpace', 'StoreUnavailable', 'Busy', 'Internal'])

/** What is about the place and not about the item says which place it is: whoever reads it has to go there. */
export function atStore(store: string, error: LibrarianError): LibrarianError {
  if (!ofThePlace.has(error.code) || error.message.includes(`store ${store}`)) return error
  const { code, message, remedy, fields, retryAfterSeconds, cause } = error
  return new LibrarianError(code, `${message} (store ${store})`, { remedy, fields, retryAfterSeconds, cause })
}

export function unavailable(store: string, { reason, remedy }: Unavailable): LibrarianError {
  return new LibrarianError('StoreUnavailable', `Store ${store} is not available: ${reason}`, { remedy })
}

import type { IncomingHttpHeaders } from 'node:http'
import { LibrarianError } from '@arriero/api'
import type { NotedArchive } from '../../services/byte-uploads/notes.ts'

/** What a plain tus client says of the upload that it creates. */
export interface CreateUpload {
  /** The future file's name, unchecked. */
  readonly name: string
  readonly size: number
  /** Wire form; empty: unattested. */
  readonly checksum: string
  readonly uploader: string | undefined
  readonly deletionPolicy: 'ALLOWED' | 'DISALLOWED'
  /** Keep it as soon as all bytes are there. */
  readonly commitsItself: boolean
  /** It is a directory, and comes as this; then `size` is that of its files. */
  readonly archive: NotedArchive | undefined
}

/**
 * Reads Upload-Length and Upload-Metadata. `name` (or what clients usually say: `filename`), `checksum`; `commit` is true
 * unless it says `false`, because a plain client has no other way to say it. `archive` makes it a directory: Upload-Length is
 * then of the archive, and `size` of what is in it.
 *
 * @throws LibrarianError BadRequest
 */
export function parseCreation(headers: IncomingHttpHeaders): CreateUpload {
  const length = lengthOf(headers)
  const metadata = parseMetadata(String(headers['upload-metadata'] ?? ''))
  const archive = archiveIn(metadata, length)
  const name = metadata.get('name') ?? metadata.get('filename')
  if (name === undefined) throw refuse('Upload-Metadata must have a name')
  const checksum = metadata.get('checksum')
  if (!checksum && metadata.get('unattested') !== 'true') {
    throw refuse('Upload-Metadata must have the checksum of the whole file, or unattested true')
  }
  const stated = metadata.get('size')
  const size = archive ? wholeNumber(stated) : length
  if (size === undefined) throw refuse('Upload-Metadata must have the size of all files in the archive')
  if (!archive && stated !== undefined && stated !== String(size)) {
    throw refuse(`its size must be the Upload-Length, got ${stated}`)
  }
  return {
    name,
    size,
    checksum: checksum ?? '',
    uploader: metadata.get('uploader'),
    deletionPolicy: metadata.get('deletion_policy')?.toUpperCase() === 'ALLOWED' ? 'ALLOWED' : 'DISALLOWED',
    commitsItself: metadata.get('commit') !== 'false',
    archive,
  }
}

/**
 * Of an upload that is there: whether its bytes are an archive, and how many. Both headers come with its pieces, since nobody
 * could say it when it was announced. @throws LibrarianError BadRequest
 */
export function statedArchive(headers: IncomingHttpHeaders): NotedArchive | undefined {
  const metadata = parseMetadata(String(headers['upload-metadata'] ?? ''))
  return metadata.has('archive') ? archiveIn(metadata, lengthOf(headers)) : undefined
}

function archiveIn(metadata: ReadonlyMap<string, string>, length: number): NotedArchive | undefined {
  const format = metadata.get('archive')
  if (format === undefined) return undefined
  if (format === 'tar' && length > 0) return { format, length }
  throw refuse('an archive must be a tar of at least two blocks')
}

function lengthOf(headers: IncomingHttpHeaders): number {
  const length = wholeNumber(headers['upload-length'])
  if (length !== undefined) return length
  throw refuse('Upload-Length must say how many bytes there will be')
}

function wholeNumber(text: unknown): number | undefined {
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** Pairs of a key and base64, separated by commas; a key may stand alone. */
function parseMetadata(header: string): Map<string, string> {
  const metadata = new Map<string, string>()
  for (const pair of header.split(',')) {
    const [, key, value = ''] = /^\s*([!-+\--~]+)(?: +([A-Za-z0-9+/]*={0,2}))?\s*$/.exec(pair) ?? []
    if (key === undefined) {
      if (pair.trim() === '') continue
      throw refuse('Upload-Metadata must be keys with base64')
    }
    if (metadata.has(key)) throw refuse(`Upload-Metadata must not have a key twice, got ${key}`)
    metadata.set(key, textOf(value))
  }
  return metadata
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(base64: string): string {
  try {
    return utf8.decode(Buffer.from(base64, 'base64'))
  } catch {
    throw refuse('Upload-Metadata must be UTF-8 in base64')
  }
}

function refuse(what: string): LibrarianError {
  return new LibrarianError('BadRequest', `Cannot create the upload: ${what}`, { remedy: 'Correct the header.' })
}

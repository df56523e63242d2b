import type { IncomingHttpHeaders } from 'node:http'
import { LibrarianError } from '@arriero/api'

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
}

/**
 * Reads Upload-Length and Upload-Metadata. `name` (or what clients usually say: `filename`), `checksum`; `commit` is true
 * unless it says `false`, because a plain client has no other way to say it.
 *
 * @throws LibrarianError BadRequest
 */
export function parseCreation(headers: IncomingHttpHeaders): CreateUpload {
  const size = lengthOf(headers)
  const metadata = parseMetadata(String(headers['upload-metadata'] ?? ''))
  const name = metadata.get('name') ?? metadata.get('filename')
  if (name === undefined) throw refuse('Upload-Metadata must have a name')
  const checksum = metadata.get('checksum')
  if (!checksum && metadata.get('unattested') !== 'true') {
    throw refuse('Upload-Metadata must have the checksum of the whole file, or unattested true')
  }
  const stated = metadata.get('size')
  if (stated !== undefined && stated !== String(size)) throw refuse(`its size must be the Upload-Length, got ${stated}`)
  return {
    name,
    size,
    checksum: checksum ?? '',
    uploader: metadata.get('uploader'),
    deletionPolicy: metadata.get('deletion_policy')?.toUpperCase() === 'ALLOWED' ? 'ALLOWED' : 'DISALLOWED',
    commitsItself: metadata.get('commit') !== 'false',
  }
}

function lengthOf(headers: IncomingHttpHeaders): number {
  const text = headers['upload-length']
  const size = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(size)) return size
  throw refuse('Upload-Length must say how many bytes there will be')
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

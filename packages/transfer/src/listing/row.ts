import { TransferError } from '../errors.ts'
import type { Row } from '../manifest/entry.ts'
import { redactUrl } from '../redact.ts'
import type { Listed } from '../source.ts'

/** A name of a listing as a row to fetch. What cannot be fetched is said in its place: never passed over in silence. */
export function rowOfListed({ uri, path, size, unavailable }: Listed, index: number): Row {
  if (unavailable === undefined) return { index, uris: [uri], path, size, checksums: [] }
  const url = redactUrl(uri)
  return { index, error: new TransferError('Unsupported', `Cannot fetch ${url}: ${unavailable}`, { url }) }
}

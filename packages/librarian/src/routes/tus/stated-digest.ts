import type { IncomingHttpHeaders } from 'node:http'
import { LibrarianError } from '@arriero/api'
import { parseDigests, parseUploadChecksum, type StatedDigest } from '../../http/digest-fields.ts'

/** What a sender says of its piece: tus's own header, or Content-Digest (RFC 9530). @throws LibrarianError BadRequest */
export function statedDigest(headers: IncomingHttpHeaders): StatedDigest | undefined {
  const { 'upload-checksum': checksum, 'content-digest': digest } = headers
  if (typeof checksum === 'string') {
    const parsed = parseUploadChecksum(checksum)
    if (parsed === 'unknown') throw refuse('Upload-Checksum', 'its algorithm must be one of those that OPTIONS lists')
    if (parsed === 'bad') throw refuse('Upload-Checksum', 'it must be an algorithm and base64')
    return parsed
  }
  const parsed = typeof digest === 'string' ? parseDigests(digest) : undefined
  if (parsed === 'bad') throw refuse('Content-Digest', 'it must be as RFC 9530 writes it')
  return parsed
}

function refuse(header: string, must: string): LibrarianError {
  return new LibrarianError('BadRequest', `Cannot check the piece by ${header}: ${must}`, {
    remedy: 'Correct the header.',
  })
}

import { TransferError } from '../../errors.ts'
import { redactUrl } from '../../redact.ts'

/** What a gs URI names. Every character is taken as it is: nothing is percent-decoded. */
export interface GsName {
  readonly bucket: string
  /** Empty: the bucket itself. */
  readonly object: string
  /** A generation that the URI pins, as in `gs://bucket/object#1712345678901234`. */
  readonly generation: string | undefined
}

/** @throws TransferError Usage */
export function parseGsUri(uri: string): GsName {
  const match = /^gs:\/\/([^/]+)(?:\/(.*))?$/is.exec(uri)
  // Legacy names may have a domain's colon in front; nothing else that would change a URL is a letter of a bucket.
  if (!match || !/^(?=.*\w)[\w.:-]+$/.test(match[1] as string)) {
    throw new TransferError('Usage', `Cannot read ${redactUrl(uri)}: it must be gs://bucket/object`)
  }
  const pinned = /^(.+)#(\d+)$/s.exec(match[2] ?? '')
  const object = pinned?.[1] ?? match[2] ?? ''
  // The store has no such names, and a URL cannot say them.
  if (object === '.' || object === '..') {
    throw new TransferError('Usage', `Cannot read ${redactUrl(uri)}: no object can be named "${object}"`)
  }
  if (!object.isWellFormed()) {
    throw new TransferError('Usage', `Cannot read ${redactUrl(uri)}: its name must be well-formed Unicode`)
  }
  return { bucket: match[1] as string, object, generation: pinned?.[2] }
}

/** The URI that opens an object. A name that itself ends like a generation gets its own behind it. */
export function gsUri(bucket: string, object: string, generation: string | undefined): string {
  const isDoubtful = generation !== undefined && /.#\d+$/s.test(object)
  return `gs://${bucket}/${object}${isDoubtful ? `#${generation}` : ''}`
}

/** What the head of an answer says of the resource (retrieval 7, 12, 16). */
import { checksumsFromHeaders } from '../integrity/header-checksums.ts'
import { type Headers, listHeader, oneHeader } from '../integrity/headers.ts'
import { dispositionNames } from '../names/content-disposition.ts'
import type { EntityTag, Resource } from '../resource.ts'
import { parseHttpDate } from './http-date.ts'

/** What the status and the framing of the answer decided. */
export interface AnsweredFacts {
  readonly size: number | undefined
  readonly ranges: Resource['ranges']
  /** The body is the whole resource: checksums of the body are the resource's. */
  readonly hasWholeBody: boolean
  /** Hears of headers that cannot be what they are called. */
  readonly warn?: ((warning: string) => void) | undefined
}

/** The resource that an accepted answer speaks of. */
export function resourceFromHeaders(headers: Headers, facts: AnsweredFacts): Resource {
  const disposition = oneHeader(headers, 'content-disposition')
  return {
    size: facts.size,
    ranges: facts.ranges,
    etag: parseEntityTag(oneHeader(headers, 'etag')),
    lastModified: parseHttpDate(oneHeader(headers, 'last-modified')),
    date: parseHttpDate(oneHeader(headers, 'date')),
    version: versionOf(headers),
    checksums: checksumsFromHeaders(headers, facts),
    name: disposition === undefined ? undefined : dispositionNames(disposition)[0],
    contentType: oneHeader(headers, 'content-type'),
    contentEncoding: contentCoding(headers),
  }
}

/** `"abc"` or `W/"abc"`. Bare values, which some servers send, are taken as they are but count as weak. */
export function parseEntityTag(value: string | undefined): EntityTag | undefined {
  if (value === undefined || value === '') return undefined
  const match = /^(W\/)?"([\x21\x23-\x7e\x80-\xff ]*)"$/.exec(value)
  if (match) return { value: match[2] as string, isWeak: match[1] !== undefined }
  return { value: value.replace(/^W\//, '').replaceAll('"', ''), isWeak: true }
}

/** Codings other than identity, in lower case and in the order they were applied: `gzip`, `gzip, br`. */
export function contentCoding(headers: Headers): string | undefined {
  if (headers['content-encoding'] === undefined) return undefined
  const codings = listHeader(headers, 'content-encoding')
    .map(coding => coding.toLowerCase())
    // `aws-chunked` names how an upload was sent; S3 hands it back by mistake and the bytes are plain.
    .filter(coding => coding !== 'identity' && coding !== 'aws-chunked')
  return codings.length === 0 ? undefined : codings.join(', ')
}

/** Whether a date may serve as a strong validator: it was at least 60 s old when it was given (RFC 9110, 8.8.2.2). */
export function isDateStrong(resource: Resource): boolean {
  const { lastModified, date } = resource
  return lastModified !== undefined && date !== undefined && date - lastModified >= 60_000
}

function versionOf(headers: Headers): string | undefined {
  const version = oneHeader(headers, 'x-amz-version-id') ?? oneHeader(headers, 'x-goog-generation')
  // S3 says `null` for objects of a bucket without versions: they do change.
  return version === undefined || version === '' || version === 'null' ? undefined : version
}

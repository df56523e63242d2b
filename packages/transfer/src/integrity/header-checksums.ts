import { algorithmByName, isDigestAlgorithm } from './algorithms.ts'
import type { Coverage, OfferedChecksum } from './checksum.ts'
import { type Headers, listHeader, oneHeader } from './headers.ts'
import { digestAsHex, parseChecksum, partCount } from './parse-checksum.ts'
import { mayBeS3Md5 } from './s3-etag.ts'

export interface HeaderChecksumOptions {
  /**
   * The answer's body is the whole object: a 200, the answer to a HEAD, or a 206 that covers everything. Otherwise
   * `Content-MD5` and `Content-Digest` are of coverage `body`, and `x-amz-checksum-*` is left out: beside a range it
   * is the checksum of one part, and a store that sends the object's there cannot be told from one that does not.
   */
  readonly hasWholeBody: boolean
  /** Hears of digests that are ignored because they cannot be what they are called. */
  readonly warn?: ((warning: string) => void) | undefined
}

/** What an answer's headers say of the content's digests, strongest first (retrieval 11.2, 11.5, 13.2). */
export function checksumsFromHeaders(headers: Headers, options: HeaderChecksumOptions): readonly OfferedChecksum[] {
  const bodyCoverage: Coverage = options.hasWholeBody ? 'object' : 'body'
  return [
    ...(options.hasWholeBody ? amazonChecksums(headers, options) : []),
    ...googleHashes(headers, options),
    ...fieldDigests(headers, 'Repr-Digest', 'object', options),
    ...instanceDigests(headers, options),
    ...s3Etag(headers),
    ...fieldDigests(headers, 'Content-Digest', bodyCoverage, options),
    ...contentMd5(headers, bodyCoverage, options),
  ]
}

function* amazonChecksums(headers: Headers, options: HeaderChecksumOptions): Iterable<OfferedChecksum> {
  const type = oneHeader(headers, 'x-amz-checksum-type')?.toUpperCase()
  for (const algorithm of ['sha256', 'crc64nvme', 'crc32c', 'crc32', 'sha1'] as const) {
    const origin = `x-amz-checksum-${algorithm}`
    const text = oneHeader(headers, origin)
    if (text === undefined) continue
    const [digest = '', suffix] = text.split('-')
    const offered = offer(algorithm, digest, 'object', origin, options)
    if (!offered) continue
    if (type !== 'COMPOSITE' && suffix === undefined) {
      yield offered
      continue
    }
    const parts = suffix ?? partsOfEtag(headers)
    if (parts && /^[1-9]\d*$/.test(parts)) {
      yield { ...offered, value: `${offered.value}-${parts}`, coverage: 'composite' }
    } else options.warn?.(`Ignored ${origin}: a composite must name its number of parts, got '${text}'`)
  }
}

function partsOfEtag(headers: Headers): string | undefined {
  return /-(\d+)"?$/.exec(oneHeader(headers, 'etag') ?? '')?.[1]
}

function* googleHashes(headers: Headers, options: HeaderChecksumOptions): Iterable<OfferedChecksum> {
  // Decompressive transcoding: the hashes are those of the stored bytes, the body is not (retrieval 13.2).
  const stored = oneHeader(headers, 'x-goog-stored-content-encoding') ?? 'identity'
  if (stored !== 'identity' && oneHeader(headers, 'content-encoding') !== stored) return
  for (const member of listHeader(headers, 'x-goog-hash')) {
    const [name, value] = splitAtEquals(member)
    const offered = offer(name, value, 'object', 'x-goog-hash', options)
    if (offered) yield offered
  }
}

/** RFC 9530, a structured dictionary: `sha-256=:BASE64:, sha-512=:BASE64:`. */
function* fieldDigests(
  headers: Headers,
  origin: 'Repr-Digest' | 'Content-Digest',
  coverage: Coverage,
  options: HeaderChecksumOptions,
): Iterable<OfferedChecksum> {
  for (const member of listHeader(headers, origin.toLowerCase())) {
    const match = /^([a-z*][a-z0-9_.*-]*)=:([^:]*):/i.exec(member)
    const offered = match && offer(match[1]!, match[2]!, coverage, origin, options)
    if (offered) yield offered
  }
}

/** RFC 3230: `SHA-256=BASE64,adler32=HEX`; the digest of the instance, whatever range the body carries. */
function* instanceDigests(headers: Headers, options: HeaderChecksumOptions): Iterable<OfferedChecksum> {
  for (const member of listHeader(headers, 'digest')) {
    const [name, value] = splitAtEquals(member)
    const offered = offer(name.toLowerCase() === 'sha' ? 'sha1' : name, value, 'object', 'Digest', options)
    if (offered) yield offered
  }
}

function* contentMd5(headers: Headers, coverage: Coverage, options: HeaderChecksumOptions): Iterable<OfferedChecksum> {
  const text = oneHeader(headers, 'content-md5')
  const offered = text === undefined ? undefined : offer('md5', text, coverage, 'Content-MD5', options)
  if (offered) yield offered
}

function* s3Etag(headers: Headers): Iterable<OfferedChecksum> {
  const etag = oneHeader(headers, 'etag')
  if (etag === undefined || !isS3(headers) || !mayBeS3Md5(headers)) return
  try {
    const { algorithm, value } = parseChecksum('s3_etag', etag)
    yield { algorithm, value, coverage: partCount(value) ? 'composite' : 'object', origin: 'ETag' }
  } catch {
    // Another shape is no checksum, and nothing to warn of: an ETag owes nobody a meaning.
  }
}

/** CloudFront and API gateways put `x-amz-cf-*` and the like before servers whose ETags are no MD5s. */
function isS3(headers: Headers): boolean {
  if (/^AmazonS3\b/i.test(oneHeader(headers, 'server') ?? '')) return true
  return Object.keys(headers).some(name => /^x-amz-(?!cf-|apigw-|rid$)/.test(name))
}

/** An algorithm that is not ours is passed over silently; a digest of the wrong length is not (Pelican #3146). */
function offer(
  name: string,
  text: string,
  coverage: Coverage,
  origin: string,
  { warn }: HeaderChecksumOptions,
): OfferedChecksum | undefined {
  const algorithm = algorithmByName(name)
  if (!algorithm || !isDigestAlgorithm(algorithm)) return undefined
  const value = digestAsHex(algorithm, text)
  if (value) return { algorithm, value, coverage, origin }
  warn?.(`Ignored ${origin}: '${text.slice(0, 150)}' is not a digest of ${algorithm}`)
  return undefined
}

function splitAtEquals(member: string): [name: string, value: string] {
  const equals = member.indexOf('=')
  return equals < 0 ? [member, ''] : [member.slice(0, equals).trim(), member.slice(equals + 1).trim()]
}

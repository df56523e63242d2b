import { TransferError } from '../errors.ts'
import {
  algorithmByName,
  algorithmNames,
  type DigestAlgorithm,
  digestAlgorithms,
  digestBytes,
  isDigestAlgorithm,
  nearestAlgorithmName,
} from './algorithms.ts'
import type { Algorithm, Checksum } from './checksum.ts'

/** S3 takes no upload of more parts. */
const MAX_PARTS = 10_000

/**
 * Reads a digest in any usual spelling: hex of any case, or base64, standard or URL-safe, padded or not
 * (retrieval 11.1). An `s3_etag` is hex or `hex-n`, with or without quotes and a weak prefix. The value of `null` is
 * ignored.
 *
 * @throws TransferError Usage when the name is unknown or the value's length does not fit the algorithm.
 *
 * @example
 * ```ts
 * parseChecksum('MD5', 'JfnnlDI7RTiF9RgfG2JNCw==') // { algorithm: 'md5', value: '25f9e794323b453885f5181f1b624d0b' }
 * ```
 */
export function parseChecksum(name: string, text: string): Checksum {
  const algorithm = requireAlgorithm(name, `Cannot use the checksum ${show(text)}`)
  if (algorithm === 'null') return { algorithm, value: '' }
  const trimmed = text.trim()
  const value = isDigestAlgorithm(algorithm) ? digestAsHex(algorithm, trimmed) : etagAsHex(trimmed)
  if (value === undefined) throw unfit(algorithm, trimmed)
  return { algorithm, value }
}

/**
 * Reads a checksum as one argument: `ALG:VALUE`, or the form of Subresource Integrity, `sha512-BASE64`.
 *
 * @throws TransferError Usage.
 */
export function parseChecksumArgument(text: string): Checksum {
  const trimmed = text.trim()
  if (trimmed.toLowerCase() === 'null') return { algorithm: 'null', value: '' }
  const colon = trimmed.indexOf(':')
  if (colon > 0) return parseChecksum(trimmed.slice(0, colon), trimmed.slice(colon + 1))
  const integrity = /^(sha-?\d+|md-?5)-([^?]+)(\?.*)?$/i.exec(trimmed)
  if (integrity) return parseChecksum(integrity[1]!, integrity[2]!)
  throw new TransferError(
    'Usage',
    `Cannot use the checksum ${show(trimmed)}: it must name its algorithm, as in sha256:HEX or sha512-BASE64${fitting(trimmed)}`,
  )
}

/** `ALG:HEX`, which `parseChecksumArgument` reads; with `base64`, the form of HTTP headers and `gs_crc32c`. */
export function formatChecksum(checksum: Checksum, encoding: 'hex' | 'base64' = 'hex'): string {
  const { algorithm, value } = checksum
  if (encoding === 'hex' || !isDigestAlgorithm(algorithm) || value.includes('-')) return `${algorithm}:${value}`
  return `${algorithm}:${Buffer.from(value, 'hex').toString('base64')}`
}

/** Parts of a composite value `hex-n`; undefined for a plain digest. */
export function partCount(value: string): number | undefined {
  const dash = value.indexOf('-')
  return dash < 0 ? undefined : Number(value.slice(dash + 1))
}

/** A digest of exactly the algorithm's length as lower-case hex, or undefined. */
export function digestAsHex(algorithm: DigestAlgorithm, text: string): string | undefined {
  const length = digestBytes[algorithm]
  if (text.length === length * 2 && /^[0-9a-f]+$/i.test(text)) return text.toLowerCase()
  return base64AsHex(text, length)
}

/**
 * Base64 must be canonical: a last letter with stray bits is a digest that somebody mistyped, not another spelling.
 */
function base64AsHex(text: string, length: number): string | undefined {
  const letters = /^([A-Za-z0-9+/_-]+)(={0,2})$/.exec(text)
  if (!letters || (letters[2] && text.length % 4 !== 0)) return undefined
  const bytes = Buffer.from(letters[1]!, 'base64')
  const canonical = letters[1]!.replaceAll('-', '+').replaceAll('_', '/')
  const isExact = bytes.length === length && bytes.toString('base64').replaceAll('=', '') === canonical
  return isExact ? bytes.toString('hex') : undefined
}

function etagAsHex(text: string): string | undefined {
  const shape = /^(?:W\/)?("?)([0-9a-f]{32})(?:-([1-9]\d{0,4}))?\1$/i.exec(text)
  if (!shape || Number(shape[3] ?? 1) > MAX_PARTS) return undefined
  return shape[2]!.toLowerCase() + (shape[3] ? `-${shape[3]}` : '')
}

function requireAlgorithm(name: string, action: string): Algorithm {
  const algorithm = algorithmByName(name)
  if (algorithm) return algorithm
  const nearest = nearestAlgorithmName(name)
  throw new TransferError(
    'Usage',
    `${action}: the algorithm must be one of ${algorithmNames.join(', ')}, got ${show(name)}${nearest ? `; did you mean ${nearest}?` : ''}`,
  )
}

function unfit(algorithm: Exclude<Algorithm, 'null'>, text: string): TransferError {
  return new TransferError(
    'Usage',
    `Cannot use the checksum ${show(text)}: ${rule(algorithm)}, got ${text.length} characters${fitting(text)}`,
  )
}

function rule(algorithm: Exclude<Algorithm, 'null'>): string {
  if (algorithm === 's3_etag') return 's3_etag must be 32 hex digits, or 32 hex digits, a dash and 1 to 10000 parts'
  const length = digestBytes[algorithm]
  return `${algorithm} must be ${length * 2} hex digits or ${4 * Math.ceil(length / 3)} base64 characters`
}

/** Which algorithms the value would fit: the usual slip is the right digest under the wrong name. */
function fitting(text: string): string {
  const names: string[] = digestAlgorithms.filter(algorithm => digestAsHex(algorithm, text) !== undefined)
  if (text.includes('-') && etagAsHex(text)) names.push('s3_etag')
  return names.length === 0 ? '' : `; it has the form of ${names.join(' or ')}`
}

function show(text: string): string {
  return `'${text.length > 150 ? `${text.slice(0, 150)}…` : text}'`
}

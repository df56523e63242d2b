import { objectUris } from '../commons/object-uri.ts'
import { TransferError } from '../errors.ts'
import type { Checksum } from '../integrity/checksum.ts'
import { parseChecksum } from '../integrity/parse-checksum.ts'
import { findUnsafeCharacter } from '../names/characters.ts'
import { redactUrl } from '../redact.ts'
import type { RowReason } from './entry.ts'
import { parseJsonRow } from './json-row.ts'
import { RowProblem, refuseAs } from './problem.ts'

/** How the values of fields are read, whichever fields they are. All throw RowProblem. */

const KNOWN_SCHEMES = '(?:https?|ftps?|sftp|s3|gs)'
/** A scheme of two letters or more (one is a drive), and a host where we know that there must be one. */
const SHAPE = new RegExp(`^(?:${KNOWN_SCHEMES}://[^/?#\\s]|(?!${KNOWN_SCHEMES}:)[a-z][a-z0-9+.-]+:.)`, 'i')

/** An absolute URL. Those of objects of a commons must name one. */
export function uri(value: unknown, field = 'url'): string {
  const text = textOf(field, value, 'bad_url')
  if (!isUrl(text)) {
    refuseAs('bad_url', `${field} must be absolute, with a scheme and a host, as in https://host/path`, redactUrl(text))
  }
  // Keys of object stores have blanks; in HTTP one would end the request's target.
  if (/^https?:.*\s/i.test(text)) refuseAs('bad_url', `${field} must have its blanks percent-encoded`, redactUrl(text))
  return isDrs(text) ? placesOf(field, text, undefined, 'bad_url')[0]! : text
}

/** `drs:` or `dos:`, without an expression: every URL of every list passes here. */
function isDrs(text: string): boolean {
  const first = text.charCodeAt(0)
  return (first === 0x64 || first === 0x44) && /^d[ro]s:/i.test(text)
}

export function isUrl(text: string): boolean {
  return SHAPE.test(text)
}

/** Where an object is (see `objectUris`). */
export function placesOf(
  field: string,
  text: string,
  commons: string | undefined,
  reason: RowReason,
): readonly string[] {
  try {
    return objectUris(text, commons)
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    // Its message quotes the text, which may hold a signed URL.
    const why = error.message.slice(error.message.lastIndexOf(' for an object: ') + 16)
    return refuseAs(reason, `${field} must name an object: ${why}`, redactUrl(text))
  }
}

/** A digest in any usual spelling. */
export function digestOf(algorithm: string, text: string): Checksum {
  try {
    return parseChecksum(algorithm, text)
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    throw new RowProblem(error.message.replace(/^Cannot use /, ''), 'bad_md5')
  }
}

/** Well-formed Unicode without control characters: what is written into requests, paths and logs. */
export function textOf(field: string, value: unknown, reason?: RowReason): string {
  if (typeof value !== 'string') return refuseAs(reason, `${field} must be a string`, value)
  const character = findUnsafeCharacter(value)
  if (character !== undefined)
    refuseAs(reason, `${field} must not contain control or bidi characters, got ${character}`)
  if (!value.isWellFormed()) refuseAs(reason, `${field} must be well-formed Unicode, got a lone surrogate`)
  return value
}

export function wholeNumber(field: string, value: unknown, reason?: RowReason): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  return refuseAs(reason, `${field} must be a whole number from 0 to 2^53 - 1`, value)
}

export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string') return refuseAs('bad_url', 'urls must be an array of strings', value)
  if (!value.startsWith('[')) return value.trim().split(/\s+/)
  const list = parseJsonRow(value)
  return Array.isArray(list) ? list : refuseAs('bad_url', 'urls must be an array of strings', value)
}

export function mapOf(field: string, value: unknown, reason?: RowReason): Readonly<Record<string, unknown>> {
  const map = typeof value === 'string' && value.startsWith('{') ? parseJsonRow(value) : value
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    return refuseAs(reason, `${field} must be an object`, value)
  return map as Readonly<Record<string, unknown>>
}

import { TransferError } from '../../errors.ts'
import { redactUrl } from '../../redact.ts'

/** The parts of `sftp://user:password@host:port/path`. */
export interface SftpAddress {
  readonly user: string | undefined
  readonly password: string | undefined
  /** As written, lower case, without brackets: ~/.ssh/config may know another name for it. */
  readonly host: string
  readonly port: number | undefined
  /** As the server takes it: bytes, because names need not be UTF-8; not absolute under the login directory (`/~/`). */
  readonly path: Buffer
  /** What stands before the path, without the password: listings name what they find below it. */
  readonly authority: string
  /** As it was written, percent-encoded. */
  readonly encodedPath: string
}

const FORM = /^sftp:\/\/(?:([^/?#]*)@)?(\[[0-9a-f:.%]+\]|[^@:/?#[\]]+)(?::(\d{1,5}))?(\/[^?#]*)?$/i

/** Rejects what is no such URL with TransferError('Usage'); nothing is connected before that. */
export function parseSftpUrl(url: string): SftpAddress {
  const refuse = (what: string) =>
    new TransferError('Usage', `Cannot fetch ${redactUrl(url)}: ${what}`, { url: redactUrl(url) })
  if (/[?#]/.test(url)) throw refuse('? and # in a path must be written as %3F and %23')
  const match = FORM.exec(url)
  if (!match) throw refuse('it must be of the form sftp://user@host:port/path')
  const [, userInfo = '', bracketed = '', digits, encodedPath = '/'] = match
  const decoded = (text: string) => {
    const bytes = decodePercent(text)
    if (!bytes) throw refuse('its percent-encoding is broken')
    return bytes
  }
  const colon = userInfo.indexOf(':')
  const encodedUser = colon < 0 ? userInfo : userInfo.slice(0, colon)
  const user = decoded(encodedUser).toString() || undefined
  const password = colon < 0 ? undefined : decoded(userInfo.slice(colon + 1)).toString()
  const host = decoded(bracketed.replace(/^\[|\]$/g, ''))
    .toString()
    .toLowerCase()
  if (hasControl(user) || hasControl(host) || /[\s/]/.test(host)) throw refuse('user and host must be plain names')
  const port = digits === undefined ? undefined : Number(digits)
  if (port === 0 || (port ?? 0) > 65_535) throw refuse(`a port must be 1 to 65535, got ${digits}`)
  const path = underLogin(decoded(encodedPath))
  if (path.includes(0)) throw refuse('a path must have no NUL character')
  const authority = `sftp://${encodedUser && `${encodedUser}@`}${bracketed}${digits === undefined ? '' : `:${digits}`}`
  return { user, password, host, port, path, authority, encodedPath }
}

/** `/~/a` is `a` below the login directory, as curl takes it. */
function underLogin(path: Buffer): Buffer {
  const text = path.subarray(0, 3).toString('latin1')
  if (text === '/~') return Buffer.from('.')
  if (text !== '/~/') return path
  return path.length === 3 ? Buffer.from('.') : path.subarray(3)
}

/** The bytes that a percent-encoded text stands for; undefined if it is broken. */
function decodePercent(text: string): Buffer | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined
  const pieces = text.split(/(%[0-9a-f]{2})/i)
  return Buffer.concat(
    pieces.map((piece, index) => (index % 2 === 1 ? Buffer.from(piece.slice(1), 'hex') : Buffer.from(piece))),
  )
}

const UNRESERVED = /[A-Za-z0-9._~-]/

/** A name as one segment of a URL: everything but unreserved characters is encoded, so nothing in it is a wildcard. */
export function encodeSegment(name: Buffer): string {
  let text = ''
  for (const byte of name) {
    const character = String.fromCharCode(byte)
    text += UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

function hasControl(text: string | undefined): boolean {
  return /[\x00-\x1f\x7f]/.test(text ?? '')
}

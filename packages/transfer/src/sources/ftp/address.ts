/** What an ftp or ftps URL says (RFC 1738, 3.2; RFC 3986). */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { TransferError } from '../../errors.ts'
import type { FtpOptions } from '../../options.ts'
import { redactUrl } from '../../redact.ts'

export interface FtpAddress {
  /** Without brackets. */
  readonly host: string
  readonly port: number
  readonly security: 'none' | 'explicit' | 'implicit'
  /** From the URL's user-info; bytes, one per character, like everything that is sent. */
  readonly user: string | undefined
  readonly password: string | undefined
  /** `ftp://host:21`. */
  readonly origin: string
  /** Relative to the login directory, unless it begins with `/`; empty: the login directory. Bytes. */
  readonly path: string
}

const FORM = /^(ftps?):\/\/(?:([^/]*)@)?(\[[0-9a-f:.]+\]|[^/?@:[\]\\]+)(?::(\d*))?(?:\/(.*))?$/is

/**
 * `ftp://host/a/b` is `a/b` below the login directory; `ftp://host/%2Fa` and `ftp://host//a` are `/a`. A question mark
 * belongs to the path, a fragment does not, and `;type=i` says what is done anyway.
 */
export function parseFtpAddress(uri: string, options: FtpOptions = {}): FtpAddress {
  const shown = redactUrl(uri)
  const refuse = (why: string) => new TransferError('Usage', `Cannot fetch ${shown}: ${why}`, { url: shown })
  if (/[\x00-\x1f\x7f]/.test(uri)) throw refuse('a URL must have no control characters')
  const parts = FORM.exec(uri.replace(/#.*$/s, ''))
  if (!parts) throw refuse('it must be of the form ftp://host/path')
  const [, scheme = '', userInfo, hostname = '', digits = '', rawPath = ''] = parts
  const { path, type } = withoutType(rawPath)
  if (!/^i?$/i.test(type)) throw refuse('only transfers of type i leave bytes as they are')
  const isSecure = scheme.toLowerCase() === 'ftps'
  const port = digits === '' ? defaultPort(isSecure, options) : Number(digits)
  if (!(port > 0 && port < 65536)) throw refuse(`${port} is no port`)
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : domainToASCII(hostname)
  if (host === '' || (hostname.startsWith('[') && isIP(host) !== 6)) throw refuse('its host is none')
  const decode = (text: string) => toBytes(text, refuse)
  const [, user, password] = /^([^:]*)(?::(.*))?$/s.exec(userInfo ?? '') ?? []
  return {
    host,
    port,
    security: options.tls ?? (isSecure ? (port === 21 ? 'explicit' : 'implicit') : 'none'),
    user: user ? decode(user) : undefined,
    password: user && password !== undefined ? decode(password) : undefined,
    origin: `${scheme.toLowerCase()}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    path: decode(path),
  }
}

/** Bytes of a path as they stand in a URL; slashes stay. */
export function encodePath(bytes: string): string {
  return bytes.replace(
    /[^A-Za-z0-9._~/-]/g,
    byte => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** Text as the bytes that are sent. A line end would begin another command. */
export function checkedBytes(text: string, refuse: (why: string) => TransferError): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1')
  if (/[\r\n\0]/.test(bytes)) throw refuse('line ends and NUL cannot be part of an FTP command')
  return bytes
}

function defaultPort(isSecure: boolean, { tls }: FtpOptions): number {
  return tls === 'implicit' || (isSecure && tls === undefined) ? 990 : 21
}

function withoutType(path: string): { path: string; type: string } {
  const [, before, type] = /^(.*);type=([^;/]*)$/is.exec(path) ?? []
  return type === undefined ? { path, type: '' } : { path: before as string, type }
}

function toBytes(text: string, refuse: (why: string) => TransferError): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) throw refuse('its percent-encoding is broken')
  const bytes = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (/[\r\n\0]/.test(bytes)) throw refuse('line ends and NUL cannot be part of an FTP command')
  return bytes
}

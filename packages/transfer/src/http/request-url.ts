import { TransferError } from '../errors.ts'

/** An http or https URL without user-info, which becomes a header instead. */
export interface RequestUrl {
  readonly url: URL
  /** `Basic …` from the user-info, if there was one. */
  readonly authorization: string | undefined
}

/**
 * Parses what a caller gave. Controls and spaces are refused rather than stripped as the URL parser would: what was
 * meant and what is asked for must not differ.
 */
export function parseRequestUrl(uri: string): RequestUrl {
  if (/[\x00-\x20\x7f]/.test(uri)) {
    throw new TransferError('Usage', 'Cannot fetch a URL with control characters or spaces: percent-encode them')
  }
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new TransferError('Usage', 'Cannot fetch: not a valid http or https URL')
  }
  return withoutUserInfo(url)
}

/** Moves the user-info of a URL into a header value. */
export function withoutUserInfo(url: URL): RequestUrl {
  const { username, password } = url
  url.hash = ''
  if (username === '' && password === '') return { url, authorization: undefined }
  url.username = ''
  url.password = ''
  const pair = `${decodeUserInfo(username)}:${decodeUserInfo(password)}`
  return { url, authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }
}

/** `https://host:443`: what credentials, limits and connections belong to (RFC 6454, with the port always said). */
export function originOf(url: URL): string {
  return `${url.protocol}//${url.hostname}:${portOf(url)}`
}

/** FTP is here for the caller's credentials, which are asked for by origin. */
const defaultPorts: Readonly<Record<string, number>> = { 'https:': 443, 'ftp:': 21, 'ftps:': 990 }

export function portOf(url: URL): number {
  return url.port === '' ? (defaultPorts[url.protocol] ?? 80) : Number(url.port)
}

function decodeUserInfo(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

import { TransferError } from '../errors.ts'
import { arrieroVersion } from './version.ts'

/** Header fields of a request: names in lower case. */
export type RequestHeaders = Readonly<Record<string, string>>

/** The engine says these itself: a caller's value would change which bytes come, or how they are framed. */
const OURS = new Set([
  ...['host', 'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['content-length', 'expect', 'range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since'],
  ...['if-unmodified-since', 'accept-encoding'],
])

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Latin1 text without controls: what one header line can hold (RFC 9110, 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * A caller's headers with lower-case names and the ones that every request carries. Anything that could end the header
 * line early, or contradict what the engine sends, is refused before a connection is made.
 */
export function requestHeaders(given: Readonly<Record<string, string>> = {}): RequestHeaders {
  const headers: Record<string, string> = { 'user-agent': `arriero/${arrieroVersion}`, accept: '*/*' }
  for (const [name, value] of Object.entries(given)) headers[name.toLowerCase()] = checked(name, value)
  return headers
}

/** The header lines that `headers` are on the wire, each one checked. */
export function headerLines(headers: RequestHeaders): string {
  let lines = ''
  for (const name in headers) lines += `${name}: ${checked(name, headers[name] as string)}\r\n`
  return lines
}

/** Headers that a provider of credentials made, checked as if a caller had given them. */
export function checkedHeaders(headers: RequestHeaders): RequestHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), checked(name, value)]))
}

function checked(name: string, value: string): string {
  if (!TOKEN.test(name)) throw new TransferError('Usage', `Cannot send the header ${JSON.stringify(name)}: bad name`)
  // The value may be a secret: it is not shown.
  if (!VALUE.test(value)) {
    throw new TransferError('Usage', `Cannot send the header ${name}: its value has control or wide characters`)
  }
  if (OURS.has(name.toLowerCase())) {
    throw new TransferError('Usage', `Cannot send the header ${name}: the engine sets it`)
  }
  return value.trim()
}

/** The values that must not be seen, of headers that are secret: also without the scheme in front, e.g. `Bearer`. */
export function secretValues(headers: RequestHeaders, others: ReadonlySet<string> = new Set()): string[] {
  return Object.entries(headers)
    .filter(([name]) => isSecretHeader(name) || others.has(name))
    .flatMap(([, value]) => [value, value.slice(value.indexOf(' ') + 1)])
}

/** Whether a header must not reach another origin although nobody marked it (retrieval 8.3). */
export function isSecretHeader(name: string): boolean {
  return /auth|cookie|token|api-?key|access-?key|secret|session|passw|credential|signature/i.test(name)
}

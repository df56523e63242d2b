/** Parsing of requests: strict, because a lenient test server hides a client's mistakes. */

export interface AskedRange {
  /** First byte; undefined for a suffix range. */
  readonly start: number | undefined
  /** One past the last byte; undefined when open. */
  readonly end: number | undefined
  /** `bytes=-n`. */
  readonly suffix: number | undefined
}

export interface RequestHead {
  readonly method: string
  /** As sent: path and query. */
  readonly target: string
  readonly path: string
  /** Without the question mark; empty when there is none. */
  readonly query: string
  readonly httpVersion: '1.0' | '1.1'
  /** Lower-case names; repeated ones joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** As sent, in order. */
  readonly rawHeaders: readonly (readonly [string, string])[]
  /** The one valid range that was asked. */
  readonly range: AskedRange | undefined
}

const HEAD_LIMIT = 65_536
const END_OF_HEAD = Buffer.from('\r\n\r\n')

export class BadRequest extends Error {}

/** A head and its length in bytes, undefined while it is incomplete. Throws BadRequest. */
export function parseRequest(bytes: Buffer): { head: RequestHead; length: number } | undefined {
  const end = bytes.indexOf(END_OF_HEAD)
  if (end < 0) {
    if (bytes.length > HEAD_LIMIT) throw new BadRequest('head too long')
    return undefined
  }
  const [requestLine, ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const match = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(requestLine!)
  if (!match) throw new BadRequest(`request line ${JSON.stringify(requestLine)}`)
  const rawHeaders = lines.map(parseHeader)
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of rawHeaders) {
    const key = name.toLowerCase()
    if (key in headers && SINGLE.has(key)) throw new BadRequest(`two ${key} headers`)
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value
  }
  const httpVersion = match[3] === '0' ? '1.0' : '1.1'
  if (httpVersion === '1.1' && !headers.host) throw new BadRequest('no Host header')
  const target = match[2]!
  const [path, query] = splitOnce(target, '?')
  const head = { method: match[1]!, target, path, query, httpVersion, headers, rawHeaders } as const
  return { head: { ...head, range: parseRange(headers.range) }, length: end + END_OF_HEAD.length }
}

const SINGLE = new Set(['host', 'range', 'if-range', 'content-length', 'authorization'])

function parseHeader(line: string): [string, string] {
  // No folding, no space before the colon, no bare CR or LF (RFC 9112, 5).
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/.exec(line)
  if (!match) throw new BadRequest(`header line ${JSON.stringify(line)}`)
  return [match[1]!, match[2]!]
}

/** Several ranges, or nonsense, count as none: a server may ignore them. */
function parseRange(value: string | undefined): AskedRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(value ?? '')
  if (!match) return undefined
  const [, first, last] = match
  if (first === '') {
    return last === '' ? undefined : { start: undefined, end: undefined, suffix: Number(last) }
  }
  const start = Number(first)
  const end = last === '' ? undefined : Number(last) + 1
  return end !== undefined && end <= start ? undefined : { start, end, suffix: undefined }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

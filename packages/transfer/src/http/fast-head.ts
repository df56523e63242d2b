import type { AnswerHead } from './answer-head.ts'

const STATUS_LINE = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/
/** One field line, strictly: no space before the colon, no folding, no bare CR or LF, no control characters. */
const FIELD = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)\r\n/y

/**
 * Parses the head of an answer (latin1, up to and without its empty line) as strictly as RFC 9112 allows.
 * Undefined: not in the one form that the fast lane knows; interim answers (1xx) and HTTP/1.0 are among that.
 */
export function parseFastHead(text: string): AnswerHead | undefined {
  const first = STATUS_LINE.exec(text)
  if (!first) return undefined
  const headers: Record<string, string | string[]> = Object.create(null)
  let at = first[0].length
  while (at < text.length) {
    FIELD.lastIndex = at
    const field = FIELD.exec(text)
    if (!field) return undefined
    at = FIELD.lastIndex
    add(headers, (field[1] as string).toLowerCase(), (field[2] as string).trimEnd())
  }
  return { status: Number(first[1]), headers }
}

function add(headers: Record<string, string | string[]>, name: string, value: string): void {
  const before = headers[name]
  if (before === undefined) headers[name] = value
  else if (typeof before === 'string') headers[name] = [before, value]
  else before.push(value)
}

/**
 * Whether the fast lane carries an answer of this shape: framed by exactly one Content-Length, in no coding.
 * What the answer means is decided by `judgeAnswer`, as in the general lane.
 */
export function isFastShape({ status, headers }: AnswerHead): boolean {
  return (
    (status === 206 || status === 200) &&
    typeof headers['content-length'] === 'string' &&
    /^\d{1,15}$/.test(headers['content-length']) &&
    headers['transfer-encoding'] === undefined &&
    isIdentity(headers['content-encoding']) &&
    (status === 200 || typeof headers['content-range'] === 'string') &&
    headers.upgrade === undefined
  )
}

function isIdentity(coding: string | readonly string[] | undefined): boolean {
  return coding === undefined || (typeof coding === 'string' && /^(identity)?$/i.test(coding))
}

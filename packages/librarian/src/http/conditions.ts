/** Conditional requests for what never changes under its name (RFC 9110, 13). */
import type { IncomingHttpHeaders } from 'node:http'

/** `proceed` · `not-modified`: 304 · `failed`: 412. */
export type Condition = 'proceed' | 'not-modified' | 'failed'

/**
 * Dates are not compared: what we serve has no time of modification, and then RFC 9110 has them ignored.
 *
 * @param etag strong, with its quotes
 */
export function judgeConditions(headers: IncomingHttpHeaders, etag: string): Condition {
  const match = headers['if-match']
  if (match !== undefined && !lists(match, etag, isStrongEqual)) return 'failed'
  const noneMatch = headers['if-none-match']
  return noneMatch !== undefined && lists(noneMatch, etag, isWeakEqual) ? 'not-modified' : 'proceed'
}

/** Whether `Range` may be honoured: without `If-Range`, or with the very tag; never with a date, which proves too little. */
export function mayUseRange(headers: IncomingHttpHeaders, etag: string): boolean {
  const ifRange = headers['if-range']
  return ifRange === undefined || (typeof ifRange === 'string' && isStrongEqual(ifRange.trim(), etag))
}

function lists(header: string, etag: string, isEqual: (one: string, etag: string) => boolean): boolean {
  if (header.trim() === '*') return true
  return (header.match(/(?:W\/)?"[^"]*"/g) ?? []).some(one => isEqual(one, etag))
}

function isStrongEqual(one: string, etag: string): boolean {
  return one === etag
}

function isWeakEqual(one: string, etag: string): boolean {
  return one.replace(/^W\//, '') === etag
}

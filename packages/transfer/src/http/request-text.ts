import type { Range, Resource } from '../resource.ts'
import { headerLines, type RequestHeaders } from './request-headers.ts'
import { isDateStrong } from './resource-from-headers.ts'

/** The part of a request that differs between the requests for one resource. */
export interface Ask {
  /** Sent as Range; undefined asks for the whole. */
  readonly range: Range | undefined
  readonly condition: Condition | undefined
}

export interface Condition {
  readonly name: 'if-range' | 'if-match'
  readonly value: string
}

/**
 * The condition that makes a server say at once when the resource has changed (retrieval 12): its strong tag, else a
 * date that is old enough to count as strong; undefined when there is neither.
 */
export function conditionFor(expected: Resource, name: 'if-range' | 'if-match'): Condition | undefined {
  const { etag, lastModified } = expected
  if (etag && !etag.isWeak) return { name, value: `"${etag.value}"` }
  if (name === 'if-range' && !etag && lastModified !== undefined && isDateStrong(expected)) {
    return { name, value: new Date(lastModified).toUTCString() }
  }
  return undefined
}

/** Codings that an answer may have. */
export type AcceptedCoding = 'identity' | 'gzip'

/** The headers of an ask, for the general lane. */
export function askHeaders({ range, condition }: Ask, accepted: AcceptedCoding): Record<string, string> {
  return {
    'accept-encoding': accepted,
    ...(range ? { range: rangeValue(range) } : {}),
    ...(condition ? { [condition.name]: condition.value } : {}),
  }
}

/** A whole request for the fast lane; `fields` are the lines that all requests to this place share. */
export function requestText(target: string, { range, condition }: Ask, fields: string): string {
  const rangeLine = range ? `range: ${rangeValue(range)}\r\n` : ''
  const conditionLine = condition ? `${condition.name}: ${condition.value}\r\n` : ''
  return `GET ${target} HTTP/1.1\r\n${rangeLine}${conditionLine}${fields}\r\n`
}

/** Header lines that do not change from request to request. */
export function fieldLines(url: URL, headers: RequestHeaders, accepted: AcceptedCoding): string {
  return `host: ${url.host}\r\naccept-encoding: ${accepted}\r\n${headerLines(headers)}`
}

function rangeValue({ start, end }: Range): string {
  return `bytes=${start}-${end - 1}`
}

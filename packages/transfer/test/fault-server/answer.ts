/** From a request, a resource and a behaviour to what is sent. Pure. */
import { STATUS_CODES } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Behaviour, ServedRange } from './behaviour.ts'
import { bytesContent, type Content, flipped, patternContent, wholeOf } from './content.ts'
import type { FaultRequest } from './log.ts'

/** What a resource is; may be changed while the server runs. */
export interface ResourceState {
  /** Content D(size), unless `bytes` are given. */
  size: number
  bytes?: Uint8Array | undefined
  /** Other content of the same size. */
  version: number
  /** Quotes included; undefined: made of size and version; false: none. */
  etag?: string | false | undefined
  /** Milliseconds since 1970; false: none. */
  lastModified: number | false
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

export interface Answer {
  readonly status: number
  readonly head: Buffer
  readonly content: Content
  /** What of the content is the body. */
  readonly start: number
  readonly end: number
  readonly isChunked: boolean
  /** The connection ends after the answer, as its head says. */
  readonly isLast: boolean
}

type Headers = Map<string, readonly [name: string, values: readonly string[]]>

export function planAnswer(request: FaultRequest, resource: ResourceState | undefined, behaviour: Behaviour): Answer {
  const content = contentOf(resource, behaviour)
  const choice = choose(request, resource, behaviour, content.size)
  const headers: Headers = new Map()
  const put = (name: string, value: string | readonly string[] | undefined) => {
    if (value === undefined) headers.delete(name.toLowerCase())
    else headers.set(name.toLowerCase(), [name, typeof value === 'string' ? [value] : value])
  }

  put('Date', new Date().toUTCString())
  const isContent = choice.status === 200 || choice.status === 206
  const body = isContent ? content : bytesContent(Buffer.from(behaviour.body ?? `${choice.status}\n`))
  const { start, end } = isContent ? choice : { start: 0, end: body.size }
  if (isContent && behaviour.body === undefined) describeContent(resource!, behaviour, put)
  if (!isContent || behaviour.body !== undefined) put('Content-Type', 'text/plain')
  const contentRange = behaviour.contentRange ?? choice.contentRange
  if (contentRange) put('Content-Range', contentRange)
  if (behaviour.location !== undefined) put('Location', behaviour.location)
  if (behaviour.retryAfter !== undefined) put('Retry-After', spellRetryAfter(behaviour.retryAfter))
  if (choice.status === 405) put('Allow', 'GET')

  const isBodiless = choice.status === 204 || choice.status === 304
  const framing = behaviour.framing ?? 'length'
  const isChunked = framing === 'chunked' && !isBodiless
  if (isChunked) put('Transfer-Encoding', 'chunked')
  else if (framing === 'length' && !isBodiless) put('Content-Length', String(end - start))
  if (behaviour.contentLength !== undefined) {
    put('Content-Length', behaviour.contentLength === false ? undefined : String(behaviour.contentLength))
  }
  const isLast = !keepsAlive(request, behaviour)
  if (isLast) put('Connection', 'close')
  else if (request.httpVersion === '1.0') put('Connection', 'keep-alive')
  if (resource && isContent) for (const [name, value] of Object.entries(resource.headers)) put(name, value)
  for (const [name, value] of Object.entries(behaviour.headers ?? {})) put(name, value)

  const statusLine =
    behaviour.statusLine ??
    `HTTP/${behaviour.httpVersion ?? '1.1'} ${choice.status} ${STATUS_CODES[choice.status] ?? 'Whatever'}`
  const lines = [...headers.values()].flatMap(([name, values]) => values.map(value => `${name}: ${value}`))
  const hasBody = request.method !== 'HEAD' && !isBodiless
  return {
    status: choice.status,
    head: Buffer.from(`${behaviour.prefix ?? ''}${[statusLine, ...lines].join('\r\n')}\r\n\r\n`, 'latin1'),
    content: body,
    start: hasBody ? start : end,
    end,
    isChunked: isChunked && hasBody,
    isLast,
  }
}

interface Choice {
  readonly status: number
  readonly start: number
  readonly end: number
  readonly contentRange?: string | undefined
}

/** Status and bytes, as RFC 9110 sections 13 and 14 have it, unless the behaviour decides. */
function choose(
  request: FaultRequest,
  resource: ResourceState | undefined,
  behaviour: Behaviour,
  size: number,
): Choice {
  const whole = { start: 0, end: size }
  const { status } = behaviour
  if (behaviour.location !== undefined) return { status: status ?? 302, ...whole }
  if (status !== undefined && status !== 200 && status !== 206) return { status, ...whole }
  if (behaviour.body !== undefined) return { status: status ?? 200, ...whole }
  if (!resource) return { status: 404, ...whole }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, ...whole }
  if (!behaviour.ignoreConditions && !isAsExpected(request, resource, behaviour)) return { status: 412, ...whole }
  // Range is defined for GET only.
  const asked = request.method === 'GET' && status !== 200 ? request.range : undefined
  if (!asked || isRangeIgnored(request, resource, behaviour)) return { status: status ?? 200, ...whole }
  const start = asked.start ?? Math.max(0, size - asked.suffix!)
  if (start >= size) return { status: 416, ...whole, contentRange: `bytes */${size}` }
  const range: ServedRange = { start, end: Math.min(size, asked.end ?? size) }
  const served = behaviour.serve?.(range, size) ?? range
  return { status: 206, ...served, contentRange: `bytes ${served.start}-${served.end - 1}/${size}` }
}

function isAsExpected(request: FaultRequest, resource: ResourceState, behaviour: Behaviour): boolean {
  const match = request.headers['if-match']
  if (match !== undefined && match !== '*') {
    const etag = etagOf(resource, behaviour)
    return etag !== false && !etag.startsWith('W/') && match.split(/,\s*/).includes(etag)
  }
  const since = request.headers['if-unmodified-since']
  const lastModified = lastModifiedOf(resource, behaviour)
  return since === undefined || lastModified === false || Date.parse(since) >= floorToSecond(lastModified)
}

function isRangeIgnored(request: FaultRequest, resource: ResourceState, behaviour: Behaviour): boolean {
  const { ignoreRange = false } = behaviour
  if (ignoreRange === true || (ignoreRange === 'tail' && request.range?.start !== 0)) return true
  const condition = request.headers['if-range']
  if (condition === undefined || behaviour.ignoreConditions) return false
  const etag = etagOf(resource, behaviour)
  const lastModified = lastModifiedOf(resource, behaviour)
  // A weak tag never satisfies If-Range; a date must be the very same (RFC 9110, 13.1.5).
  if (condition.startsWith('"')) return etag !== condition
  return lastModified === false || Date.parse(condition) !== floorToSecond(lastModified)
}

function keepsAlive(request: FaultRequest, behaviour: Behaviour): boolean {
  if (behaviour.framing === 'close' || behaviour.httpVersion === '1.0') return false
  const wish = request.headers.connection?.toLowerCase()
  return request.httpVersion === '1.1' ? wish !== 'close' : wish === 'keep-alive'
}

function contentOf(resource: ResourceState | undefined, behaviour: Behaviour): Content {
  if (behaviour.body !== undefined) return bytesContent(Buffer.from(behaviour.body))
  if (!resource) return bytesContent(new Uint8Array(0))
  const stored = resource.bytes
    ? bytesContent(resource.bytes)
    : patternContent(resource.size, behaviour.version ?? resource.version)
  const sent = behaviour.gzip ? bytesContent(gzipSync(wholeOf(stored))) : stored
  return behaviour.flip ? flipped(sent, behaviour.flip) : sent
}

function describeContent(
  resource: ResourceState,
  behaviour: Behaviour,
  put: (name: string, value: string | undefined) => void,
): void {
  const etag = etagOf(resource, behaviour)
  const lastModified = lastModifiedOf(resource, behaviour)
  put('Content-Type', 'application/octet-stream')
  put('Accept-Ranges', behaviour.ignoreRange === true ? undefined : 'bytes')
  if (etag !== false) put('ETag', etag)
  if (lastModified !== false) put('Last-Modified', new Date(lastModified).toUTCString())
  if (behaviour.gzip) put('Content-Encoding', 'gzip')
}

function etagOf(resource: ResourceState, behaviour: Behaviour): string | false {
  const size = resource.bytes?.length ?? resource.size
  return behaviour.etag ?? resource.etag ?? `"${size.toString(16)}-${behaviour.version ?? resource.version}"`
}

function lastModifiedOf(resource: ResourceState, behaviour: Behaviour): number | false {
  return behaviour.lastModified ?? resource.lastModified
}

/** HTTP dates have no fractions. */
function floorToSecond(time: number): number {
  return Math.floor(time / 1000) * 1000
}

function spellRetryAfter(value: number | Date | string): string {
  return value instanceof Date ? value.toUTCString() : String(value)
}

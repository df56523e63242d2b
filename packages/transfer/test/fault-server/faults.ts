/** The behaviours of retrieval 19 by name. What is random is decided by seed and request, not by the order of arrival. */
import type { Behaviour, Ending, Script } from './behaviour.ts'
import type { FaultRequest } from './log.ts'

/** Later scripts add to and override earlier ones. */
export function compose(...scripts: readonly (Behaviour | Script)[]): Script {
  return async (request, attempt) => {
    let all: Behaviour = {}
    for (const script of scripts) {
      all = { ...all, ...(typeof script === 'function' ? await script(request, attempt) : script) }
    }
    return all
  }
}

/** The first requests to a path get these behaviours, one each; later ones are answered well. */
export function sequence(...behaviours: readonly (Behaviour | Script | undefined)[]): Script {
  return (request, attempt) => {
    const behaviour = behaviours[attempt - 1]
    return typeof behaviour === 'function' ? behaviour(request, attempt) : behaviour
  }
}

/** From the request after the first `count` on. */
export function after(count: number, behaviour: Behaviour): Script {
  return (_, attempt) => (attempt > count ? behaviour : undefined)
}

export function only(claim: (request: FaultRequest) => boolean, behaviour: Behaviour): Script {
  return request => (claim(request) ? behaviour : undefined)
}

/** Always 200; `tail`: only for ranges that do not begin at 0. */
export function ignoresRange(which: 'always' | 'tail' = 'always'): Behaviour {
  return { ignoreRange: which === 'tail' ? 'tail' : true }
}

/** A 206 for other bytes than asked, and it says so. */
export function shiftedRange(by = 1): Behaviour {
  return {
    serve: ({ start, end }, size) => ({ start: Math.min(start + by, size - 1), end: Math.min(end + by, size) }),
  }
}

/** A 206 with more bytes at the end than asked, and it says so. */
export function widerRange(by = 1): Behaviour {
  return { serve: ({ start, end }, size) => ({ start, end: Math.min(end + by, size) }) }
}

/** A 206 with at most `most` of the bytes asked for, as RFC 9110 allows. */
export function shorterRange(most: number): Behaviour {
  return { serve: ({ start, end }) => ({ start, end: Math.min(end, start + most) }) }
}

/** A 206 that lies about the size of the whole. */
export function wrongTotal(total: number | '*'): Script {
  return ({ range }) =>
    range?.start !== undefined && range.end !== undefined
      ? { contentRange: `bytes ${range.start}-${range.end - 1}/${total}` }
      : undefined
}

export function truncates(afterBytes: number, ending: Ending = 'fin'): Behaviour {
  return { truncateAfter: afterBytes, ending }
}

/** A fraction of the answers is cut somewhere. */
export function truncatesAtRandom(fraction: number, seed: number, ending: Ending = 'fin'): Script {
  return request => {
    if (draw(seed, request) >= fraction) return undefined
    const asked = request.range?.end !== undefined ? request.range.end - (request.range.start ?? 0) : 1024 * 1024
    return { truncateAfter: Math.floor(draw(seed + 1, request) * asked), ending }
  }
}

/** A fraction of the answers is an error. */
export function failsAtRandom(fraction: number, seed: number, status = 500): Script {
  return request => (draw(seed, request) < fraction ? { status } : undefined)
}

/** HEAD is refused, as by a URL that was signed for GET. */
export function refusesHead(status: number = 403): Script {
  return only(request => request.method === 'HEAD', { status })
}

/** One chunked stream without a length. */
export function chunked({ isTerminated = true } = {}): Behaviour {
  return { framing: 'chunked', ignoreRange: true, unterminated: !isTerminated }
}

/** HTTP/1.0 without a length: the end of the connection is the end of the body. */
export function closeDelimited(): Behaviour {
  return { framing: 'close', httpVersion: '1.0', ignoreRange: true }
}

/** If-Range is answered 200 although the entity tag is the same. */
export function refusesIfRange(): Script {
  return only(request => request.headers['if-range'] !== undefined, { ignoreRange: true })
}

/** Another entity tag in every answer, as of several machines that do not agree; conditions fail on none. */
export function etagPerRequest(): Script {
  let count = 0
  return () => ({ etag: `"node-${++count}"`, ignoreConditions: true })
}

/** 429 or 503 with Retry-After for the first `times` requests to a path. */
export function throttled(
  retryAfter: number | Date | string | undefined,
  { times = 1, status = 429 }: { times?: number; status?: number } = {},
): Script {
  return (_, attempt) => (attempt <= times ? { status, retryAfter } : undefined)
}

/** Answers only so many requests at once; the others are told to come back. */
export function busyAbove(requests: number, behaviour: Behaviour = { status: 503 }): Script {
  return only(request => request.concurrent > requests, behaviour)
}

export function needsHeader(name: string, value: string, status = 401): Script {
  return only(request => request.headers[name.toLowerCase()] !== value, { status })
}

/** Each URL (query included) works so many times and is then denied as S3 denies an expired signature. */
export function expiresAfter(uses: number, status = 403): Script {
  const used = new Map<string, number>()
  const body = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'
  return request => {
    const count = (used.get(request.target) ?? 0) + 1
    used.set(request.target, count)
    return count > uses ? { status, body, headers: { 'Content-Type': 'application/xml' } } : undefined
  }
}

/** Redirects, each time to another URL: `makeLocation` gets 1, 2, … */
export function redirects(makeLocation: string | ((count: number) => string), status = 302): Script {
  let count = 0
  return () => ({ status, location: typeof makeLocation === 'string' ? makeLocation : makeLocation(++count) })
}

/** 200 with a page for people where data was asked for. */
export function htmlPage(text = 'Please sign in'): Behaviour {
  return {
    status: 200,
    body: `<!doctype html><title>${text}</title><p>${text}</p>`,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Accept-Ranges': undefined },
  }
}

/** 416 with `bytes *\/total`, or without Content-Range. */
export function unsatisfiable(total: number | undefined): Behaviour {
  return { status: 416, contentRange: total === undefined ? false : `bytes */${total}` }
}

/** No answer at all. */
export function silent(): Behaviour {
  return { noAnswer: 'silent' }
}

/** Falls silent in mid-body and keeps the connection. */
export function silentAfter(bytes: number): Behaviour {
  return { truncateAfter: bytes, ending: 'silent' }
}

/** One connection has another behaviour than the rest. */
export function onConnection(number: number, behaviour: Behaviour): Script {
  return only(request => request.connection === number, behaviour)
}

/**
 * A number in [0, 1) for this request: the same for the same seed, path, first byte and repetition, in whatever order
 * requests arrive.
 */
export function draw(seed: number, request: FaultRequest): number {
  let hash = 0x811c9dc5 ^ seed
  const text = `${seed} ${request.path} ${request.range?.start ?? '-'} ${request.rangeAttempt}`
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  // FNV alone leaves its high bits poor; two rounds of murmur's finaliser spread them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

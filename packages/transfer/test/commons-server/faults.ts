/** The fault switches of gen3 14 by name, for `commons.fault`. Those about bytes act at storage. */
import type { Behaviour } from '../fault-server/behaviour.ts'
import type { FaultRequest } from '../fault-server/log.ts'
import { html, xml } from './answers.ts'
import type { Fault } from './fault-switches.ts'
import { expiredToken as expiredTokenAnswer } from './signing.ts'

/** 429, or another status, with Retry-After: seconds or a date. */
export function throttled(retryAfter: number | Date | string | undefined, status = 429): Behaviour {
  return { status, retryAfter }
}

export function failing(status: 500 | 502 | 503 | 504 = 500): Behaviour {
  return { status }
}

/** What a proxy before the services says: a page for people, whatever was asked. */
export function htmlPage(status = 502, message = 'Bad Gateway'): Behaviour {
  return html(status, message, message)
}

/** 200 with a page for people where something else was asked for. */
export function signInPage(): Behaviour {
  return {
    ...html(200, 'Sign in', 'Please sign in'),
    headers: { 'Content-Type': 'text/html', 'Accept-Ranges': undefined },
  }
}

/** DRS: the object is being thawed. For `{ at: 'drs-access' }`. */
export function thawing(retryAfterS = 1): Behaviour {
  return { status: 202, retryAfter: retryAfterS }
}

/** Bytes per second of each answer. */
export function slow(bytesPerSecond: number): Behaviour {
  return { bytesPerSecond }
}

/** The body ends after so many bytes of the answer, with a reset unless it is said otherwise. */
export function cut(afterBytes: number, ending: Behaviour['ending'] = 'rst'): Behaviour {
  return { truncateAfter: afterBytes, ending }
}

/** No byte from `offset` of the object on ever arrives. */
export function cutAt(offset: number): Fault {
  return ({ range }) => ({ truncateAfter: Math.max(0, offset - (range?.start ?? 0)), ending: 'rst' })
}

/** Silent in mid-body, and the connection stays. */
export function stalls(afterBytes: number): Behaviour {
  return { truncateAfter: afterBytes, ending: 'silent' }
}

/** Content-Length as sent, whatever the body is; the connection ends after the body. */
export function wrongLength(length: number): Behaviour {
  return { contentLength: length, closeAfter: 'fin' }
}

/** No Content-Length: chunked. */
export function chunked(): Behaviour {
  return { framing: 'chunked' }
}

/** Neither length nor chunks: the end of the connection is the end of the body. */
export function closeDelimited(): Behaviour {
  return { framing: 'close', ignoreRange: true }
}

/** 200 with everything to every ranged request. */
export function ignoresRange(): Behaviour {
  return { ignoreRange: true }
}

/** Content-Range tells of other bytes than were asked, and than are sent. */
export function wrongContentRange(by = 1): Fault {
  return ({ range }) =>
    range ? { contentRange: `bytes ${(range.start ?? 0) + by}-${(range.end ?? 1e6) + by}/1000000000` } : undefined
}

/** 416 to ranged requests, or only to those that begin behind the first byte. */
export function unsatisfiable(total: number, which: 'all' | 'tail' = 'all'): Fault {
  return ({ range }) =>
    range && (which === 'all' || range.start !== 0) ? { status: 416, contentRange: `bytes */${total}` } : undefined
}

/** S3 says that the URL's time is over, although it is not. */
export function expiredUrl(): Behaviour {
  return xml(403, 'AccessDenied', 'Request has expired')
}

/** The credentials that signed the URL have ended. */
export function expiredToken(): Behaviour {
  return expiredTokenAnswer()
}

/** Other content of the same size with another entity tag, as of an object that was replaced. */
export function replaced(version = 1): Behaviour {
  return { version, etag: `"replaced-${version}"` }
}

/** The same bytes with another entity tag in every answer; conditions never fail. */
export function etagPerRequest(): Fault {
  let count = 0
  return () => ({ etag: `"node-${++count}"`, ignoreConditions: true })
}

/** One bit of one byte is wrong. With `times`, count only requests that get it: `{ times: 1, only: covers(offset) }`. */
export function wrongByte(offset = 0): Behaviour {
  return { flip: [offset] }
}

/** Whether a request is for a byte. */
export function covers(offset: number): (request: FaultRequest) => boolean {
  return ({ range }) =>
    !range || range.start === undefined || (range.start <= offset && offset < (range.end ?? Number.POSITIVE_INFINITY))
}

/** Whether a request is for more than so many bytes, so that `cut(bytes)` matters to it. */
export function isLongerThan(bytes: number): (request: FaultRequest) => boolean {
  return ({ range }) => range?.end === undefined || range.end - (range.start ?? 0) > bytes
}

/** No answer at all, or the connection ends without one. */
export function noAnswer(ending: 'fin' | 'rst' | 'silent' = 'rst'): Behaviour {
  return { noAnswer: ending }
}

/** Whether a browser's call comes from a page of this server, and from one that knows the session's token. */
import { timingSafeEqual } from 'node:crypto'

/**
 * `origin` is the header of that name; `own` is scheme, host and port by which the caller came here. Schemes may differ: a proxy
 * that nobody has told us to believe may speak TLS for us.
 */
export function isOwnOrigin(origin: string | undefined, own: string): boolean {
  const from = URL.parse(origin ?? '')
  if (!from || !/^https?:$/.test(from.protocol)) return false
  // Under one scheme, whose usual port both then drop.
  return from.host === URL.parse(own.replace(/^\w+:/, from.protocol))?.host
}

/** In constant time. */
export function isSame(shown: string | undefined, expected: string): boolean {
  const [left, right] = [Buffer.from(shown ?? ''), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Requests that are about objects rather than for them: through the general lane, the whole answer at once. */
import type { Origins } from '../../http/origins.ts'
import { checkedHeaders, type RequestHeaders, requestHeaders } from '../../http/request-headers.ts'
import { wholeBody } from '../../http/short-answer.ts'
import type { Headers } from '../../integrity/headers.ts'
import type { Seat } from './bucket.ts'

export interface SeatQuestion {
  readonly method: 'GET' | 'HEAD'
  /** Path and query, encoded strictly. */
  readonly target: string
  /** Signed along. */
  readonly extra: RequestHeaders
  readonly headers: Readonly<Record<string, string>> | undefined
  /** For people. */
  readonly uri: string
  readonly signal: AbortSignal
}

export interface SeatAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

/** Longer than any honest page of a thousand names. */
const MOST_BYTES = 32 << 20

/** One request, one answer, whatever its status. */
export async function askSeat(origins: Origins, seat: Seat, question: SeatQuestion): Promise<SeatAnswer> {
  const { method, target, extra, uri, signal } = question
  const url = new URL(seat.place.origin)
  await origins.checkAddress(url, uri)
  const provider = seat.credentials(extra)
  const signed = await provider.headers({ method, url, target })
  signal.throwIfAborted()
  const headers = { ...requestHeaders(question.headers), ...checkedHeaders(signed), 'accept-encoding': 'identity' }
  const identity = origins.identityOf(provider)
  const exchange = await origins.general.send({ method, url, target, headers, signal, uri, identity })
  return {
    status: exchange.status,
    headers: exchange.headers,
    body: await wholeBody(exchange, MOST_BYTES, `read the answer for ${uri}`, uri),
  }
}

import { TransferError } from '../errors.ts'
import type { Landing } from '../source.ts'
import type { Exchange } from './general-lane.ts'
import { cutError } from './network-error.ts'
import { pour } from './pour.ts'
import type { Accepted } from './range-answer.ts'

/** Reading so much of an unwanted rest keeps a connection cheaper than a new one. */
const WORTH_DRAINING = 64 * 1024

export interface ReceiveOptions {
  /** Redacted, for messages. */
  readonly uri: string
  /** `host:port`, for messages. */
  readonly where: string
  readonly signal: AbortSignal
}

/** Pours a plain body. Every byte is counted: fewer than promised is a cut, more is a protocol error (retrieval 8.1). */
export async function receive(
  exchange: Exchange,
  { start, end, bodyLength }: Accepted,
  landing: Landing,
  { uri, where, signal }: ReceiveOptions,
): Promise<void> {
  let left = bodyLength ?? Number.POSITIVE_INFINITY
  for (;;) {
    if (left > 0 && landing.isComplete) {
      if (left <= WORTH_DRAINING) void exchange.drain(left)
      else exchange.cancel()
      return
    }
    const bytes = await exchange.next()
    if (!bytes) break
    const wanted = bytes.length > left ? bytes.subarray(0, left) : bytes
    await pour(landing, wanted, signal)
    if (wanted.length < bytes.length) {
      const promised = end === undefined ? 'it announced' : `bytes ${start}-${end - 1}`
      throw new TransferError('Protocol', `Cannot trust the answer for ${uri}: the server sent more than ${promised}`, {
        url: uri,
      })
    }
    left -= bytes.length
  }
  if (left > 0 && left !== Number.POSITIVE_INFINITY) throw cutError(where, uri, left)
}

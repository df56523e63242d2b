import { TransferError } from '../errors.ts'
import { oneHeader } from '../integrity/headers.ts'
import type { AnswerHead } from './answer-head.ts'
import { parseHttpDate } from './http-date.ts'
import { retryAfter } from './retry-after.ts'

/** Statuses that say "later": everything else of the 4xx will stay as it is. */
const RETRIABLE = new Set([408, 425, 429, 500, 502, 503, 504, 522, 524])
const GATEWAY = new Set([408, 502, 504, 522, 524])

/** The failure that a status means when there is nothing more to learn from the answer (retrieval 8.1). */
export function statusFailure({ status, headers }: AnswerHead, uri: string, now: number): TransferError {
  const details = { url: uri, status }
  const what = `Cannot fetch ${uri}: the server answered ${status}`
  if (status === 404 || status === 410) return new TransferError('NotFound', what, details)
  if (status === 412) {
    return new TransferError('ResourceChanged', `Cannot go on with ${uri}: it is another version now`, details)
  }
  if (status === 429 || status === 503) {
    const until = retryAfter(oneHeader(headers, 'retry-after'), now, parseHttpDate(oneHeader(headers, 'date')))
    return new TransferError('Throttled', what, { ...details, until })
  }
  if (GATEWAY.has(status)) return new TransferError('Network', what, details)
  return new TransferError('Protocol', what, { ...details, retriable: RETRIABLE.has(status) || status < 400 })
}

/** Whether a status means a failure that the body would not explain any better. */
export function isPlainFailure(status: number): boolean {
  return status === 404 || status === 410 || status === 412 || RETRIABLE.has(status)
}

import type { Headers } from '../integrity/headers.ts'

/** Status and header fields of an answer, interim answers skipped. */
export interface AnswerHead {
  readonly status: number
  readonly headers: Headers
}

/**
 * What one endpoint is: everything that the server, the client and the OpenAPI page need to know of it (librarian 4, 10).
 *
 * The table in `endpoints/index.ts` holds all of them. A server that lacks a handler for one of them does not start.
 */
import type { z } from 'zod'
import type { ErrorCode, ErrorFields } from './errors.ts'
import type { Level } from './values/level.ts'

/**
 * How a failure is written (librarian 4.3).
 * - `plain`: `{"reason", "suggested_remedy", …}`
 * - `detail`: `{"detail": "<JSON text of the same>"}`; real clients decode the text
 * - `text`: `{"detail": "<a phrase>"}`, as the frame of the older server answers
 * - `bare`: `plain` with nothing but reason, remedy and the endpoint's own fields, where callers compare the whole
 */
export type FailureShape = 'plain' | 'detail' | 'text' | 'bare'

/** Written as a method, so that endpoints with requests of any type fit into one table. */
type ReasonOf<Request> = { of(request: Request): string }['of']

/** What an endpoint answers for an error code, where that differs from the table of errors. */
/** What an endpoint answers for an error code, where that differs from the table of errors. */
export interface Failure<Request = unknown> {
  readonly status: number
  /** Literal protocol text: real clients compare it. A function where the text holds a value of the request. */
  readonly reason?: string | ReasonOf<Request>
  /** Literal too, where a caller compares the whole body. */
  readonly remedy?: string
  readonly shape?: FailureShape
  /** Instead of the endpoint’s `failureFields`. */
  readonly fields?: ErrorFields
}

/** What an endpoint answers by error code, where that differs from the table. */
export type Failures<Request = unknown> = { readonly [Code in ErrorCode]?: Failure<Request> }

/** One call of the wire. */
export interface Endpoint<Request extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  /** Below `/api/v2/`, without a slash at the start; `ping/` keeps its own at the end. */
  readonly path: string
  /** Other paths with the same meaning, for callers that use them (librarian Q2). */
  readonly aliases?: readonly string[]
  /** Least level of a caller. */
  readonly level: Level
  /** One sentence for OpenAPI. */
  readonly summary: string
  /** The JSON body. Lax as librarian 4.2 says; unknown fields are dropped. */
  readonly request: Request
  /** The JSON answer; an answer that does not match it is an error of ours. */
  readonly answer: Answer
  /** Of success; 200 unless said. */
  readonly status?: 200 | 201
  readonly shape?: FailureShape
  readonly failures?: Failures<z.output<Request>>
  /** What every failure carries besides, once the request was understood; the error's own fields win. */
  failureFields?(request: z.output<Request>): ErrorFields
  /** An empty array is answered as 404 with this literal reason, and taken by our client for an empty array. */
  readonly emptyReason?: string
  /** Success has no body and no content type (`upload/commit`). */
  readonly answerIsEmpty?: true
  /** An addition that real librarians do not have. */
  readonly isOurs?: true
  /** Whether a call without any body is valid (`admin/stores/list`). */
  readonly bodyIsOptional?: true
  /** Whether a call may change something: such calls take an Idempotency-Key (reliability E1). */
  readonly mutates: boolean
  /** Calls of one content have one end by themselves, also at once: one need not wait for another that may be dead. */
  readonly joins?: true
}

/** Keeps the schemas' types. */
export function endpoint<Request extends z.ZodType, Answer extends z.ZodType>(
  definition: Endpoint<Request, Answer>,
): Endpoint<Request, Answer> {
  return definition
}

/** What a handler is given. */
export type RequestOf<E extends Endpoint> = z.output<E['request']>

/** What a caller gives. */
export type RequestInput<E extends Endpoint> = z.input<E['request']>

/** What a handler returns. */
export type AnswerInput<E extends Endpoint> = z.input<E['answer']>

/** What a caller gets. */
export type AnswerOf<E extends Endpoint> = z.output<E['answer']>

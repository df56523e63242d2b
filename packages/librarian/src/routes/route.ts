/** What a route is: an endpoint of the wire's table and the function that answers it. Thin: parse, one service, answer. */
import type { AnswerInput, Endpoint, Level, RequestOf } from '@arriero/api'
import type { Act } from '../services/act.ts'
import type { JsonText } from './json-text.ts'

/** Who calls, as far as that was proven. */
export interface Caller {
  readonly name: string
  readonly level: Level
}

/** What a handler may know of the call besides its body. */
export interface Call {
  readonly caller: Caller
  /** Of this request, for logs: printed in the answer's `x-request-id`. */
  readonly id: string
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal
  /** Of privileged calls: to be handed to the operation that changes anything (reliability F4). */
  readonly act?: Act | undefined
}

export interface Route {
  readonly endpoint: Endpoint
  readonly handle: (request: never, call: Call) => Promise<unknown>
}

export function route<E extends Endpoint>(
  endpoint: E,
  handle: (request: RequestOf<E>, call: Call) => Promise<AnswerInput<E>>,
): Route {
  return { endpoint, handle }
}

/** For answers that may be too large to be held; they are not checked against the endpoint's schema. */
export function streamingRoute<E extends Endpoint>(
  endpoint: E,
  handle: (request: RequestOf<E>, call: Call) => Promise<JsonText>,
): Route {
  return { endpoint, handle }
}

/** An answer as the table reads it: fields that this release does not know are dropped, what must be there is looked for. */
import type { AnswerOf, Endpoint } from '../endpoint.ts'
import { LibrarianError } from '../errors.ts'
import { issuesText } from '../exchange.ts'
import { fromFailure, reasonOf } from '../failures.ts'
import type { Received } from './exchange.ts'

export type Read<E extends Endpoint> =
  | { readonly isSuccess: true; readonly answer: AnswerOf<E> }
  | { readonly isSuccess: false; readonly error: LibrarianError }

export function readAnswer<E extends Endpoint>(endpoint: E, received: Received, request?: unknown): Read<E> {
  const { status, text, retryAfter } = received
  if (status >= 200 && status < 300) return { isSuccess: true, answer: successOf(endpoint, text) }
  if (endpoint.emptyReason !== undefined && status === 404 && reasonOf(text) === endpoint.emptyReason) {
    return { isSuccess: true, answer: [] as AnswerOf<E> }
  }
  return { isSuccess: false, error: fromFailure(status, text, { endpoint, request, retryAfter }) }
}

function successOf<E extends Endpoint>(endpoint: E, text: string): AnswerOf<E> {
  if (endpoint.answerIsEmpty) return undefined as AnswerOf<E>
  const answer = endpoint.answer.safeParse(json(endpoint, text))
  if (answer.success) return answer.data as AnswerOf<E>
  throw new LibrarianError('BadAnswer', `Cannot read the answer of ${endpoint.path}: ${issuesText(answer.error)}`)
}

function json(endpoint: Endpoint, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new LibrarianError('BadAnswer', `Cannot read the answer of ${endpoint.path}: it must be JSON`)
  }
}

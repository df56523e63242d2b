/** One call seen from the server: body to request, result to answer. What an endpoint says of both is applied here alone. */
import type { z } from 'zod'
import type { Endpoint, RequestOf } from './endpoint.ts'
import { LibrarianError } from './errors.ts'
import { toFailureBody } from './failures.ts'

/**
 * The request of a body that was already parsed as JSON.
 *
 * @param body undefined: the call had none
 * @throws LibrarianError BadRequest, naming the fields but never their values
 */
export function parseRequest<E extends Endpoint>(endpoint: E, body: unknown): RequestOf<E> {
  const given = body === undefined && endpoint.bodyIsOptional ? {} : body
  if (given === undefined) {
    throw new LibrarianError('BadRequest', `Cannot call ${endpoint.path}: there must be a JSON body, got none`)
  }
  const result = endpoint.request.safeParse(given)
  if (result.success) return result.data as RequestOf<E>
  throw new LibrarianError('BadRequest', `Cannot call ${endpoint.path}: ${issuesText(result.error)}`)
}

/** A success as it goes over the wire. */
export interface SuccessAnswer {
  readonly status: number
  /** Undefined: no body and no content type. */
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

/**
 * What to answer for a handler's result. Fields that the endpoint does not name are dropped, so that nothing leaves by
 * accident; a result that does not fit is a fault of ours and thrown as such.
 */
export function toAnswer(endpoint: Endpoint, result: unknown): SuccessAnswer {
  const status = endpoint.status ?? 200
  if (endpoint.answerIsEmpty) return { status, body: undefined, headers: {} }
  const answer = endpoint.answer.safeParse(result)
  if (!answer.success)
    throw new Error(`The answer of ${endpoint.path} is not as the table says: ${issuesText(answer.error)}`)
  if (endpoint.emptyReason !== undefined && Array.isArray(answer.data) && answer.data.length === 0) {
    return toFailureBody(new LibrarianError('NotFound', endpoint.emptyReason))
  }
  return { status, body: answer.data, headers: {} }
}

const MOST_ISSUES = 5

/** `uploads.3.upload_size: Invalid input: expected number, received string`. */
export function issuesText(error: z.ZodError): string {
  const texts = error.issues
    .slice(0, MOST_ISSUES)
    .map(issue => `${issue.path.length === 0 ? 'the body' : issue.path.map(String).join('.')}: ${issue.message}`)
  const more = error.issues.length - texts.length
  return texts.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

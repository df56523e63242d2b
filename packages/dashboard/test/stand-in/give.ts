import type { AnswerInput, Endpoint, RequestOf } from '@arriero/api'

/** Says what an endpoint answers. */
export type Give = <E extends Endpoint>(
  endpoint: E,
  handler: (asked: RequestOf<E>, username: string) => AnswerInput<E> | Promise<AnswerInput<E>>,
) => void

import { type ErrorCode, LibrarianError } from '@arriero/api'

/**
 * `answer`: the other librarian has judged the call, and would say the same again · `silence`: nobody has, and others would
 * not fare better now · `trouble`: it could not do just this.
 */
export type Verdict = 'answer' | 'silence' | 'trouble'

/** What answered is not the librarian, or does not let us in: not its word on the transfer. */
const silent: ReadonlySet<ErrorCode> = new Set([
  'PeerUnreachable',
  'Busy',
  'TooMany',
  'Denied',
  'NotAuthenticated',
  'NoEndpoint',
  'WrongMethod',
  'BadAnswer',
  'Configuration',
])

export function judgeAnswer(error: unknown): Verdict {
  // A call that took too long, or a fault of the transport that nobody has a word for.
  if (!(error instanceof LibrarianError)) return 'silence'
  if (silent.has(error.code)) return 'silence'
  return error.isRetriable ? 'trouble' : 'answer'
}

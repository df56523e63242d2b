import type { TransferError } from '../errors.ts'
import type { EtagPolicy } from './agreement.ts'
import type { AnswerHead } from './answer-head.ts'
import type { HttpCredentials } from './credentials.ts'
import type { Origins } from './origins.ts'
import type { AcceptedCoding } from './request-text.ts'

export interface HttpSourceOptions {
  /** Shared by all HTTP sources of a run: connections, and what was learnt of each origin. */
  readonly origins: Origins
  /** What messages call the resource, without secrets. Default: the URL, redacted. */
  readonly label?: string | undefined
  /** Sent to the resource's own origin and, unless secret, to where it redirects. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Names of headers that must never reach another origin. Authorization, Cookie and the like always are secret. */
  readonly secretHeaders?: readonly string[] | undefined
  readonly credentials?: HttpCredentials | undefined
  /** Follow redirects from https to http. Default false. */
  readonly allowDowngrade?: boolean | undefined
  /** How entity tags that differ between nodes are taken. Default `strict`. */
  readonly etagPolicy?: EtagPolicy | undefined
  /** Hand on content-coded bytes as they were sent. Default false: they are decoded. */
  readonly keepEncoding?: boolean | undefined
  /**
   * Codings that are asked for. Default `identity`. `gzip` is for stores that decode by themselves what is not asked for
   * in the coding it is stored in, and then tell neither length nor checksums (retrieval 13.2).
   */
  readonly acceptCoding?: AcceptedCoding | undefined
  /** How later parts are tied to the version of the first. Default `if-range`; S3 understands `if-match` better. */
  readonly condition?: 'if-range' | 'if-match' | undefined
  /** The request target, where it must reach the server as it is: the URL parser takes `/./` and `/../` out of a path. */
  readonly target?: string | undefined
  /**
   * What an answer without content (a redirect, a refusal, a failure) means at this kind of server: the error to reject
   * with; undefined: what it means everywhere.
   */
  readonly explain?: ((answer: FailedAnswer) => TransferError | undefined) | undefined
  /** Hears of header values that cannot be what they are called. */
  readonly onWarning?: ((warning: string) => void) | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** An answer of status 300 or more. */
export interface FailedAnswer extends AnswerHead {
  /** Its beginning, as text; empty where it did not come or was not worth another request. */
  readonly body: string
}

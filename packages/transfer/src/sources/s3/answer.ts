/**
 * What S3 says when it does not send an object: a code, which tells more than the status, and facts that help to ask
 * better. One `S3Answer` is the cause of each error that comes of it.
 */
import { type ErrorCode, TransferError } from '../../errors.ts'
import { parseHttpDate } from '../../http/http-date.ts'
import { retryAfter } from '../../http/retry-after.ts'
import type { FailedAnswer } from '../../http/source-options.ts'
import { oneHeader } from '../../integrity/headers.ts'
import { SLASH_HINT } from '../../listing/slash-hint.ts'
import { printable, redactText } from '../../redact.ts'

const MOST_TEXT = 300

/** A failed answer, read. */
export class S3Answer extends Error {
  override readonly name = 'S3Answer'
  readonly status: number
  /** `NoSuchKey`; undefined when the answer has no words of S3. */
  readonly code: string | undefined
  /** Of the bucket, if it says so. */
  readonly region: string | undefined
  /** Where to ask instead: `host` or `host:port`. */
  readonly host: string | undefined
  /** The server's clock, milliseconds since 1970. */
  readonly date: number | undefined
  /** Seconds or a date, as sent. */
  readonly retryAfter: string | undefined
  readonly isDeleted: boolean
  readonly storageClass: string | undefined

  constructor({ status, headers, body }: FailedAnswer) {
    const code = element(body, 'Code')
    const said = element(body, 'Message') ?? ''
    super([code ?? `status ${status}`, said].filter(text => text !== '').join(': '))
    this.status = status
    this.code = code
    this.region = oneHeader(headers, 'x-amz-bucket-region') ?? element(body, 'Region') ?? regionIn(said)
    this.host = element(body, 'Endpoint') ?? hostOf(oneHeader(headers, 'location'))
    this.date = parseHttpDate(oneHeader(headers, 'date'))
    this.retryAfter = oneHeader(headers, 'retry-after')
    this.isDeleted = oneHeader(headers, 'x-amz-delete-marker') === 'true'
    this.storageClass = element(body, 'StorageClass') ?? oneHeader(headers, 'x-amz-storage-class')
  }
}

/** What S3 answered, if that is why something failed. */
export function s3AnswerOf(error: unknown): S3Answer | undefined {
  const cause = error instanceof TransferError ? error.details.cause : undefined
  return cause instanceof S3Answer ? cause : undefined
}

export interface FailureContext {
  /** What was asked for, for people. */
  readonly uri: string
  readonly bucket: string
  /** `fetch` or `list`. */
  readonly verb: string
  /** Nothing was signed; why, in words. */
  readonly unsigned: string | undefined
  readonly secrets: readonly string[]
  readonly now: number
}

/** The error that an answer means; retriable where asking again may help. */
export function s3Failure(answer: S3Answer, context: FailureContext): TransferError {
  const { code, why, remedy, retriable } = meaningOf(answer, context)
  const { status } = answer
  const until = code === 'Throttled' ? retryAfter(answer.retryAfter, context.now, answer.date) : undefined
  const message = `Cannot ${context.verb} ${context.uri}: ${why}`
  return new TransferError(code, message, { url: context.uri, status, cause: answer, until, remedy, retriable })
}

interface Meaning {
  readonly code: ErrorCode
  readonly why: string
  readonly remedy?: string
  readonly retriable?: boolean
}

function meaningOf(answer: S3Answer, context: FailureContext): Meaning {
  const { code = '', status } = answer
  const said = clean(answer.message, context.secrets)
  const { bucket } = context
  if (code === 'NoSuchBucket') return { code: 'NotFound', why: `there is no bucket ${bucket} (${said})` }
  if (code === 'NoSuchVersion') return { code: 'NotFound', why: `there is no such version (${said})` }
  if (code === 'NoSuchKey' || status === 404 || status === 410 || (status === 405 && answer.isDeleted)) {
    if (answer.isDeleted) return { code: 'NotFound', why: `it was deleted (${said})` }
    const remedy = `Check the name. ${SLASH_HINT}`
    return { code: 'NotFound', why: `the bucket ${bucket} has no such key (${said})`, remedy }
  }
  if (code === 'InvalidObjectState') {
    const where = answer.storageClass === undefined ? '' : ` (${answer.storageClass})`
    return { code: 'Unsupported', why: `it is archived${where}: it must be restored first` }
  }
  if (THROTTLED.test(code) || status === 429 || status === 503) return { code: 'Throttled', why: said }
  if (code === 'RequestTimeout' || [408, 502, 504, 522, 524].includes(status))
    return { code: 'Network', why: said, retriable: true }
  if (status >= 500 && status !== 501) return { code: 'Protocol', why: said, retriable: true }
  if (status === 501) return { code: 'Unsupported', why: said }
  if (status === 304 || (status >= 300 && status < 400)) return { code: 'Redirect', why: `${said}: nowhere to follow` }
  return refusal(answer, said, context)
}

const THROTTLED = /^(SlowDown|Throttl|TooManyRequests|RequestLimitExceeded|BandwidthLimitExceeded|ServiceUnavailable$)/

function refusal({ code = '', status }: S3Answer, said: string, { unsigned }: FailureContext): Meaning {
  const isDenied = status === 401 || status === 403 || DENIED.test(code)
  if (!isDenied) return { code: 'Protocol', why: `the server answered ${status}, ${said}`, retriable: false }
  if (/^(ExpiredToken|TokenRefreshRequired)/.test(code))
    return { code: 'Denied', why: `the credentials have expired (${said})` }
  const asked = unsigned === undefined ? '' : `; the request was not signed: ${unsigned}`
  return { code: 'Denied', why: `${said}${asked}` }
}

const DENIED =
  /^(AccessDenied|AllAccessDisabled|Account|InvalidAccessKeyId|SignatureDoesNotMatch|Expired|TokenRefreshRequired|InvalidToken|AuthorizationHeaderMalformed|RequestTimeTooSkewed|RequestExpired|CredentialsNotSupported|InvalidSecurity|MissingSecurityHeader)/

/** The text of the first element of that name, its references resolved. */
export function element(body: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1]?.trim()
  return text === undefined || text === ''
    ? undefined
    : text.replace(/&(amp|lt|gt|quot|apos);/g, (_, word: string) => SIGNS[word] as string)
}

const SIGNS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Some answers name the region only in their words. */
function regionIn(message: string): string | undefined {
  return (
    /expecting '([a-z0-9-]+)'/.exec(message)?.[1] ??
    /^The ([a-z0-9-]+) location constraint is incompatible/.exec(message)?.[1]
  )
}

function hostOf(location: string | undefined): string | undefined {
  return location !== undefined && URL.canParse(location) ? new URL(location).host : undefined
}

function clean(message: string, secrets: readonly string[]): string {
  let text = message
  for (const secret of secrets) if (secret.length > 3) text = text.replaceAll(secret, '***')
  return printable(redactText(text).replace(/\s+/g, ' ')).slice(0, MOST_TEXT)
}

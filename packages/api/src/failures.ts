/**
 * Failures as bodies and back (librarian 4.3). The server's one error exit writes with `toFailureBody`; the client reads with
 * `fromFailure`, which must digest what every release of every librarian, and the proxies before them, may answer.
 */
import type { Endpoint, Failure, FailureShape } from './endpoint.ts'
import { type ErrorCode, type ErrorFields, errorTable, LibrarianError } from './errors.ts'
import { printable } from './values/characters.ts'

/** A failure as it goes over the wire. */
export interface FailureAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
}

/** Codes whose bodies are one phrase: real callers and the tests of old know these texts. */
const phrases: Partial<Record<ErrorCode, string>> = {
  NotAuthenticated: 'Not authenticated',
  Denied: 'Incorrect username or password',
  NoEndpoint: 'Not Found',
  WrongMethod: 'Method Not Allowed',
}

/** The real client decodes `detail` as text; a list or an object there makes it fail (librarian Q4). */
const detailCodes: readonly ErrorCode[] = ['BadRequest', 'IdempotencyMismatch']

/**
 * What to answer for an error. Anything but a `LibrarianError` becomes `Internal` and tells nothing of itself.
 *
 * @param request as the endpoint's schema gave it; undefined where the failure came before that
 */
export function toFailureBody(error: unknown, endpoint?: Endpoint, request?: unknown): FailureAnswer {
  const met = error instanceof LibrarianError ? error : new LibrarianError('Internal', 'Internal server error.')
  const known = hideOthers(met, endpoint)
  const failure: Failure | undefined = endpoint?.failures?.[known.code]
  const status = failure?.status ?? errorTable[known.code].status
  const content = failureContent(known, failure, endpoint, request)
  const body = shaped(failureShape(known.code, endpoint), content, known, failure)
  return { status, body, headers: failureHeaders(status, known) }
}

/**
 * What is another's is answered as what is not there, to the letter: numbers shall tell nobody what others do (reliability 6).
 * Only an endpoint that says so in its table tells them apart, where callers of old know the difference.
 */
export function hideOthers(error: LibrarianError, endpoint?: Pick<Endpoint, 'failures'>): LibrarianError {
  if (error.code !== 'NotYours' || endpoint?.failures?.NotYours) return error
  const { message, fields, retryAfterSeconds } = error
  return new LibrarianError('NotFound', message, { fields, retryAfterSeconds, cause: error })
}

/** How an endpoint writes an error code. */
export function failureShape(code: ErrorCode, endpoint?: Endpoint): FailureShape {
  return endpoint?.failures?.[code]?.shape ?? ownShape(code) ?? endpoint?.shape ?? 'plain'
}

interface Content {
  readonly reason: string
  readonly suggested_remedy: string
  readonly fields: ErrorFields
}

function failureContent(
  error: LibrarianError,
  failure: Failure | undefined,
  endpoint?: Endpoint,
  request?: unknown,
): Content {
  const reason = typeof failure?.reason === 'function' ? literal(failure.reason, request) : failure?.reason
  const own = failure?.fields ?? (request === undefined ? undefined : endpoint?.failureFields?.(request as never))
  return {
    reason: reason ?? error.message,
    suggested_remedy: failure?.remedy ?? error.remedy,
    fields: { ...own, ...error.fields },
  }
}

function literal(of: (request: unknown) => string, request: unknown): string | undefined {
  return request === undefined ? undefined : of(request)
}

function ownShape(code: ErrorCode): FailureShape | undefined {
  if (phrases[code] !== undefined) return 'text'
  return detailCodes.includes(code) ? 'detail' : undefined
}

function shaped(
  shape: FailureShape,
  content: Content,
  error: LibrarianError,
  failure?: Failure,
): FailureAnswer['body'] {
  const { reason, suggested_remedy, fields } = content
  if (shape === 'text') return { detail: phrases[error.code] ?? reason }
  if (shape === 'bare') return { reason, suggested_remedy, ...fields }
  // Where the reason is literal, what really happened still reaches people and our client.
  const message = failure?.reason !== undefined && reason !== error.message ? { message: error.message } : {}
  const whole = { reason, suggested_remedy, ...fields, code: error.code, ...message }
  return shape === 'detail' ? { detail: JSON.stringify(whole) } : whole
}

function failureHeaders(status: number, error: LibrarianError): Record<string, string> {
  const headers: Record<string, string> = {}
  if (status === 401 && error.code !== 'NoSession') headers['WWW-Authenticate'] = 'Basic'
  if (error.code === 'WrongMethod') headers.Allow = 'POST'
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(Math.ceil(error.retryAfterSeconds))
  return headers
}

/** What is known besides the answer. */
export interface FromFailureOptions {
  /** Its table tells codes apart that share a status. */
  readonly endpoint?: Endpoint | undefined
  /** What was asked: some literal reasons repeat a part of it. */
  readonly request?: unknown
  /** The header `Retry-After`, as it came. */
  readonly retryAfter?: string | null | undefined
  /** Milliseconds since 1970, for a `Retry-After` that is a date; default: this machine's clock. */
  readonly now?: number | undefined
}

/** The error that an answer tells of. Never throws, whatever the body is; text from outside is made fit to print. */
export function fromFailure(
  status: number,
  body: string | undefined,
  options: FromFailureOptions = {},
): LibrarianError {
  const told = decode(body)
  const code = codeOf(status, told, options)
  const message = told.message ?? told.reason ?? told.phrase
  return new LibrarianError(code, message ?? `The librarian answered ${status} and gave no reason`, {
    remedy: told.remedy,
    fields: told.fields,
    retryAfterSeconds: parseRetryAfter(options.retryAfter, options.now ?? Date.now()),
  })
}

/** The literal reason of a failure; undefined where it has none. */
export function reasonOf(body: string | undefined): string | undefined {
  return decode(body).reason
}

interface Told {
  readonly code?: string | undefined
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly remedy?: string | undefined
  /** What was told without any structure. */
  readonly phrase?: string | undefined
  readonly fields: ErrorFields
}

const nothing: Told = { fields: {} }

function decode(body: string | undefined): Told {
  if (body === undefined || body.trim() === '') return nothing
  const value = parsed(body)
  if (value === undefined) return phrase(body)
  if (!isObject(value)) return nothing
  const detail = value.detail
  if (detail === undefined) return ofObject(value)
  if (typeof detail === 'string') {
    const inner = parsed(detail)
    return isObject(inner) ? ofObject(inner) : phrase(detail)
  }
  if (Array.isArray(detail)) return phrase(detail.map(issueText).join('; '))
  return isObject(detail) ? ofObject(detail) : nothing
}

function ofObject({ reason, suggested_remedy, message, code, ...rest }: Record<string, unknown>): Told {
  const fields = Object.fromEntries(Object.entries(rest).filter(([name]) => name !== '__proto__'))
  return {
    reason: textOf(reason),
    remedy: textOf(suggested_remedy),
    message: textOf(message),
    code: textOf(code),
    fields,
  }
}

/** `body.upload_size: Field required`, of a list that the older server's validation answers. */
function issueText(issue: unknown): string {
  if (!isObject(issue)) return ''
  const place = Array.isArray(issue.loc) ? issue.loc.join('.') : ''
  return `${place}: ${String(issue.msg ?? 'not valid')}`
}

function phrase(text: string): Told {
  return { phrase: textOf(text), fields: {} }
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined
  const text = printable(value.slice(0, 2000).trim())
  return value.length > 2000 ? `${text}…` : text
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'WrongMethod',
  406: 'Conflict',
  409: 'Conflict',
  410: 'Gone',
  413: 'TooLarge',
  415: 'Unsupported',
  422: 'BadRequest',
  423: 'Locked',
  425: 'TransferOngoing',
  429: 'TooMany',
  460: 'PieceMismatch',
  502: 'PeerUnreachable',
  503: 'Busy',
  504: 'PeerUnreachable',
  507: 'NoSpace',
}

function codeOf(status: number, told: Told, { endpoint, request = {} }: FromFailureOptions): ErrorCode {
  if (told.code !== undefined && Object.hasOwn(errorTable, told.code)) return told.code as ErrorCode
  if (status === 401) return told.phrase === phrases.NotAuthenticated ? 'NotAuthenticated' : 'Denied'
  if (told.phrase === phrases.NoEndpoint && status === 404) return 'NoEndpoint'
  const candidates = Object.entries(endpoint?.failures ?? {}).filter(([, failure]) => failure.status === status)
  const worded = candidates.find(([, { reason }]) => {
    const text = typeof reason === 'function' ? reason(request) : reason
    return text !== undefined && text === told.reason
  })
  const found = worded ?? (candidates.length === 1 ? candidates[0] : undefined)
  if (found) return found[0] as ErrorCode
  return byStatus[status] ?? (status >= 500 ? 'Internal' : status >= 400 ? 'Conflict' : 'BadAnswer')
}

/** Seconds from now of a `Retry-After`, which is a number or a date; undefined where it is neither. */
function parseRetryAfter(header: string | null | undefined, now: number): number | undefined {
  if (header === undefined || header === null) return undefined
  const text = header.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const date = Date.parse(text)
  return Number.isNaN(date) || !/^[A-Z][a-z]{2}/.test(text) ? undefined : Math.max(0, (date - now) / 1000)
}

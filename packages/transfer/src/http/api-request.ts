/**
 * Requests whose answers are small: listings, metadata, tokens. By the general lane, with the retries that the engine
 * makes for bytes (retrieval 8.5), because nobody else repeats these.
 *
 *     2xx                            the answer
 *     408, 425, 429, 5xx, network    again after a while, if the request may be repeated
 *     401                            again with renewed credentials, once
 *     3xx                            followed for GET; secrets stay with their origin
 *     anything else                  a TransferError with what the server says
 */
import { type Clock, systemClock } from '../clock.ts'
import { type ErrorCode, isRetriable, TransferError } from '../errors.ts'
import { backoffDelayMs } from '../limits/backoff.ts'
import { printable, redactText } from '../redact.ts'
import type { AnswerHead } from './answer-head.ts'
import type { HttpCredentials } from './credentials.ts'
import type { Exchange } from './general-lane.ts'
import type { Origins } from './origins.ts'
import { firstHop, type Hop } from './redirects.ts'
import { serverMessage } from './refusal.ts'
import { checkedHeaders, type RequestHeaders, requestHeaders, secretValues } from './request-headers.ts'
import { withoutUserInfo } from './request-url.ts'
import { type Followed, follow, takeBody, wholeBody } from './short-answer.ts'
import { statusFailure } from './status-failure.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST'
  /** User-info becomes a header. */
  readonly url: URL
  /** Secret ones (see `isSecretHeader`) do not leave the URL's origin. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For POST; say its `content-type`. */
  readonly body?: string | undefined
  /** The same request twice does no more than once. Default: true for GET. */
  readonly mayRepeat?: boolean | undefined
}

export interface ApiOptions {
  readonly origins: Origins
  readonly credentials?: HttpCredentials | undefined
  /** What is done, for messages, without secrets: `list gs://bucket/2024/`. */
  readonly purpose: string
  /** What the request is about, for the error's `url`, without secrets. */
  readonly uri: string
  readonly signal: AbortSignal
  /** Longest answer that is taken. Default 32 MiB. */
  readonly maxBytes?: number | undefined
  /** Repetitions after failures that pass. Default 8. */
  readonly retries?: number | undefined
  /** Longest Retry-After that is obeyed, ms. Default 300,000. */
  readonly maxRetryAfterMs?: number | undefined
  /** Follow redirects from https to http. Default false. */
  readonly allowDowngrade?: boolean | undefined
  readonly clock?: Clock | undefined
  /** In [0, 1). Default Math.random. */
  readonly random?: (() => number) | undefined
}

export interface ApiAnswer extends AnswerHead {
  readonly text: string
}

/** Longer explanations of failures are cut. */
const MOST_EXPLANATION = 64 * 1024
const MOST_SAID = 300

/**
 * Asks until there is an answer, or a failure that stays. Rejects with TransferError, or the signal's reason.
 *
 * @param parse turns the answer into what is wanted; what it throws as a retriable error is asked for again
 */
export async function apiRequest<T>(
  request: ApiRequest,
  parse: (answer: ApiAnswer) => T,
  options: ApiOptions,
): Promise<T> {
  const { retries = 8, signal, clock = systemClock, random } = options
  const mayRepeat = request.mayRepeat ?? request.method === 'GET'
  for (let failures = 1; ; failures++) {
    try {
      return parse(await askWithRenewal(request, options, failures > 1))
    } catch (error) {
      signal.throwIfAborted()
      if (!mayRepeat || !isRetriable(error) || failures > retries) throw error
      await clock.sleep(waitMs(error as TransferError, failures, options, random), signal)
    }
  }
}

/** The answer as JSON. A body that is none is a failure that may pass: proxies answer for servers. */
export function apiJson(request: ApiRequest, options: ApiOptions): Promise<unknown> {
  const parse = ({ text, status }: ApiAnswer): unknown => {
    try {
      return JSON.parse(text)
    } catch (cause) {
      const message = `Cannot ${options.purpose}: the server's answer is not JSON`
      throw new TransferError('Protocol', message, { url: options.uri, status, cause })
    }
  }
  return apiRequest({ ...request, headers: { accept: 'application/json', ...request.headers } }, parse, options)
}

async function askWithRenewal(request: ApiRequest, options: ApiOptions, fresh: boolean): Promise<ApiAnswer> {
  let isRenewed = false
  for (;;) {
    const { exchange, hop, sent } = await send(request, options, fresh)
    const { status } = exchange
    if (status >= 200 && status < 300) return await read(exchange, options)
    const { credentials, signal } = options
    const said = await explanation(exchange)
    signal.throwIfAborted()
    if (status === 401 && credentials?.refresh && !isRenewed && !hop.hasLeftOrigin) {
      isRenewed = true
      if (await credentials.refresh({ status, url: hop.url, sent, signal })) continue
    }
    throw failure(exchange, said, options, secretValues({ ...hop.headers, ...sent }))
  }
}

/** To the end of the redirects; those of a POST are not followed. */
async function send(
  { method, url, headers, body }: ApiRequest,
  { origins, credentials, uri, signal, allowDowngrade }: ApiOptions,
  fresh: boolean,
): Promise<Followed & { readonly sent: RequestHeaders }> {
  let sent: RequestHeaders = {}
  const sendTo = async (hop: Hop) => {
    await origins.checkAddress(hop.url, uri)
    const isOwn = !hop.hasLeftOrigin
    const given = isOwn && (await credentials?.headers({ method, url: hop.url, target: hop.target }))
    sent = checkedHeaders(given || {})
    signal.throwIfAborted()
    return origins.general.send({
      method,
      url: hop.url,
      headers: { 'accept-encoding': 'identity', ...hop.headers, ...sent },
      body,
      signal,
      uri,
      identity: isOwn ? `${origins.identityOf(credentials)}\n${secretValues(hop.headers).join('\n')}` : '',
      fresh,
    })
  }
  const first = firstHop(withoutUserInfo(new URL(url)), requestHeaders(headers))
  if (method !== 'GET') return { exchange: await sendTo(first), hop: first, sent }
  const followed = await follow(first, sendTo, { allowDowngrade })
  return { ...followed, sent }
}

async function read(exchange: Exchange, { purpose, uri, maxBytes = 32 << 20 }: ApiOptions): Promise<ApiAnswer> {
  const { status, headers } = exchange
  return { status, headers, text: (await wholeBody(exchange, maxBytes, purpose, uri)).toString('utf8') }
}

/** The status alone is the refusal: a cut explanation is better than another error. */
async function explanation(exchange: Exchange): Promise<string> {
  try {
    return (await takeBody(exchange, MOST_EXPLANATION)).bytes.toString('utf8')
  } catch {
    return ''
  }
}

function failure(head: AnswerHead, body: string, { purpose, uri, clock = systemClock }: ApiOptions, secrets: string[]) {
  const { status } = head
  const said = serverMessage(body)
  const what = `Cannot ${purpose}: the server answered ${status}${said ? `: ${clean(said, secrets)}` : ''}`
  const like = statusFailure(head, uri, clock.wallNow())
  const code: ErrorCode = status === 401 || status === 403 || status === 407 ? 'Denied' : like.code
  const isKept = code === 'Denied' || status < 400
  return new TransferError(code, what, { ...like.details, url: uri, retriable: isKept ? false : like.retriable })
}

function clean(said: string, secrets: readonly string[]): string {
  let text = said
  for (const secret of secrets) if (secret.length > 3) text = text.replaceAll(secret, '***')
  return printable(redactText(text).replace(/\s+/g, ' ').trim()).slice(0, MOST_SAID)
}

/** What the server asks for if it asks for patience, else full jitter. */
function waitMs(error: TransferError, failures: number, options: ApiOptions, random: (() => number) | undefined) {
  const { maxRetryAfterMs = 300_000, clock = systemClock } = options
  const { until } = error.details
  const backoff = backoffDelayMs(failures, { random })
  if (until === undefined) return backoff
  const wait = until - clock.wallNow()
  if (wait > maxRetryAfterMs) throw error
  return Math.max(wait, backoff)
}

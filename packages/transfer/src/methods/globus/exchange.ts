/** What the services answer, and their refusals in the engine's words. Bodies are never believed to be free of secrets. */
import { type Clock, systemClock } from '../../clock.ts'
import { type ErrorCode, TransferError } from '../../errors.ts'
import { retryAfter } from '../../http/retry-after.ts'
import { printable, redactText } from '../../redact.ts'

/** As far as this package reads it. */
export type GlobusDocument = Readonly<Record<string, unknown>>

/** What the SDK calls us with. */
export interface SdkOptions {
  readonly fetch: {
    readonly options: RequestInit & { readonly headers?: Record<string, string>; readonly __callable: typeof fetch }
  }
}

export interface ExchangeOptions {
  /** Where the service is; the SDK knows others. */
  readonly origin: string
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** What is done, for messages: `submit a transfer to Globus`. */
  readonly purpose: string
  readonly clock?: Clock | undefined
  /** What must not be shown, wherever the service repeats it. */
  readonly secrets?: readonly string[] | undefined
}

const MOST_SAID = 300

/**
 * One request by the SDK.
 *
 * @throws TransferError, or the signal's reason
 */
export async function exchange(
  send: (options: SdkOptions) => Promise<Response>,
  options: ExchangeOptions,
): Promise<GlobusDocument> {
  const { origin, timeoutMs, signal, purpose } = options
  const limit = AbortSignal.timeout(timeoutMs)
  const callable: typeof fetch = (url, init) => options.fetch(atOrigin(String(url), origin), init)
  const bounds = { signal: signal ? AbortSignal.any([signal, limit]) : limit, redirect: 'error' as const }
  try {
    const response = await send({ fetch: { options: { ...bounds, __callable: callable } } })
    const text = await response.text()
    if (!response.ok) throw refusal(response, text, options)
    return documentIn(text, purpose)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof TransferError) throw error
    if (limit.aborted) throw new TransferError('Timeout', `Cannot ${purpose}: no answer came in ${timeoutMs} ms`)
    throw new TransferError('Network', `Cannot ${purpose}: the service cannot be reached${causeOf(error)}`, {
      cause: error,
    })
  }
}

/** @throws TransferError Protocol where it is not a text */
export function textOf(document: GlobusDocument, field: string, purpose: string): string {
  const value = document[field]
  if (typeof value === 'string' && value !== '') return value
  throw new TransferError('Protocol', `Cannot ${purpose}: the answer must have ${field}, it has none`)
}

function atOrigin(url: string, origin: string): string {
  const { pathname, search } = new URL(url)
  return new URL(pathname + search, origin).href
}

function documentIn(text: string, purpose: string): GlobusDocument {
  const read = parse(text)
  if (read) return read
  throw new TransferError('Protocol', `Cannot ${purpose}: the answer must be a JSON object, it is none`)
}

function parse(text: string): GlobusDocument | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as GlobusDocument) : undefined
  } catch {
    return undefined
  }
}

/** `{"code", "message"}` of the transfer service, `{"error"}` of the other. */
function refusal({ status, headers }: Response, text: string, options: ExchangeOptions): TransferError {
  const { purpose, clock = systemClock, secrets = [] } = options
  const document = parse(text) ?? {}
  const word = [document.code, document.error].find(value => typeof value === 'string')
  const said = [word, document.message].filter(value => typeof value === 'string').join(': ')
  const message = `Cannot ${purpose}: the service answered ${status}${said === '' ? '' : `: ${shown(said, secrets)}`}`
  const until = retryAfter(headers.get('retry-after') ?? undefined, clock.wallNow())
  return new TransferError(codeOf(status), message, { status, reason: word as string | undefined, until })
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'Denied'
  if (status === 404) return 'NotFound'
  if (status === 429) return 'Throttled'
  if (status === 408 || status >= 500) return 'Network'
  return 'Unsupported'
}

function shown(text: string, secrets: readonly string[]): string {
  const without = secrets.reduce((all, secret) => (secret === '' ? all : all.replaceAll(secret, '***')), text)
  return printable(redactText(without).replace(/\s+/g, ' ').trim()).slice(0, MOST_SAID)
}

function causeOf(error: unknown): string {
  const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  return typeof code === 'string' ? ` (${code})` : ''
}

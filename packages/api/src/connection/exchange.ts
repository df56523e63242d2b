/** One HTTP exchange, and what became of it. No retries here: they are decided where it is known what may be repeated. */
import { LibrarianError } from '../errors.ts'

export interface Sent {
  readonly url: string
  readonly authorization: string
  /** Undefined: no body and no content type. */
  readonly body: string | undefined
  readonly idempotencyKey: string | undefined
  readonly signal: AbortSignal | undefined
}

export interface Received {
  readonly kind: 'answered'
  readonly status: number
  readonly text: string
  readonly retryAfter: string | null
}

/** `refused`: the request was never sent, so anything may be repeated. `lost`: nobody knows what became of it. */
export interface NotReceived {
  readonly kind: 'refused' | 'lost'
  readonly error: LibrarianError
  /** Whoever is there would say the same again: it speaks no TLS, or its certificate is not good. */
  readonly isFinal?: boolean
}

export interface ExchangeOptions {
  readonly fetch: typeof globalThis.fetch
  readonly maxAnswerBytes: number
}

/** @throws the signal's reason; LibrarianError BadAnswer where what answered cannot be a librarian. */
export async function exchange(
  sent: Sent,
  { fetch, maxAnswerBytes }: ExchangeOptions,
): Promise<Received | NotReceived> {
  const { signal } = sent
  signal?.throwIfAborted()
  let isSent = false
  try {
    const response = await fetch(sent.url, {
      method: 'POST',
      headers: headersOf(sent),
      // A redirect could lead credentials and bodies to another place.
      redirect: 'manual',
      ...(sent.body === undefined ? {} : { body: sent.body }),
      ...(signal ? { signal } : {}),
    })
    isSent = true
    if (isRedirect(response)) throw redirected(sent.url, response)
    const text = await readText(response, maxAnswerBytes)
    return { kind: 'answered', status: response.status, text, retryAfter: response.headers.get('retry-after') }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof LibrarianError) throw error
    return notReceived(sent.url, error, isSent)
  }
}

function headersOf(sent: Sent): Record<string, string> {
  return {
    Accept: 'application/json',
    Authorization: sent.authorization,
    ...(sent.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(sent.idempotencyKey === undefined ? {} : { 'Idempotency-Key': sent.idempotencyKey }),
  }
}

function isRedirect(response: Response): boolean {
  return response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)
}

function redirected(url: string, response: Response): LibrarianError {
  const location = URL.parse(response.headers.get('location') ?? '', url)
  const to = location ? ` to ${location.origin}${location.pathname}` : ''
  return new LibrarianError('BadAnswer', `Cannot call ${url}: it must answer by itself, but sends us on${to}`, {
    remedy: 'Give the address where the librarian itself answers.',
  })
}

async function readText(response: Response, limit: number): Promise<string> {
  if (!response.body) return ''
  const decoder = new TextDecoder()
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > limit) {
      await reader.cancel()
      throw new LibrarianError(
        'BadAnswer',
        `Cannot read the answer of ${response.url}: it has more than ${limit} bytes`,
      )
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** As Node names what happens before the first byte is sent; browsers tell nothing, so there it counts as lost. */
const beforeSending = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]

/** As Node names what a repetition cannot change: the wrong scheme, or a certificate that is not accepted. */
const wrongPeer =
  /^(ERR_SPEAKS_|ERR_SSL_|ERR_TLS_CERT|EPROTO$|CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER)/

function notReceived(url: string, error: unknown, isSent: boolean): NotReceived {
  const codes = codesOf(error)
  const isRefused = !isSent && codes.length > 0 && codes.every(code => beforeSending.includes(code))
  const found = codes[0] ?? (error instanceof Error ? error.message : 'no connection')
  const message = isRefused
    ? `Cannot reach the librarian at ${url}: ${found}`
    : `Lost the connection to ${url} before its answer was whole: ${found}`
  return {
    kind: isRefused ? 'refused' : 'lost',
    error: new LibrarianError('PeerUnreachable', message, { cause: error }),
    isFinal: codes.length > 0 && codes.every(code => wrongPeer.test(code)),
  }
}

/** Codes of an error and of what caused it; a name with several addresses fails with one code for each. */
function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 4) return []
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown }
  if (Array.isArray(errors) && errors.length > 0) return errors.flatMap(each => codesOf(each, depth + 1))
  return typeof code === 'string' ? [code] : codesOf(cause, depth + 1)
}

import { TransferError } from '../errors.ts'
import { refusedAddress } from './addresses.ts'

/** Names of certificate verdicts by OpenSSL, as Node gives them. */
const CERTIFICATE =
  /^(CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|INVALID_CA|PATH_LENGTH|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_CERT)/

/**
 * What a failed connection means, as one line that names host and port. Certificates are never retried; resets, failed
 * handshakes and name lookups may be better on a new connection.
 */
export function networkError(cause: unknown, where: string, uri: string): TransferError {
  if (cause instanceof TransferError) return cause
  const error = innermost(cause)
  const code = codeOf(error)
  const fail = (kind: 'Network' | 'Protocol' | 'Tls', what: string, retriable?: boolean) =>
    new TransferError(kind, `Cannot fetch ${uri}: ${what}`, { url: uri, cause, retriable })
  if (CERTIFICATE.test(code)) return fail('Tls', `the certificate of ${where} was not accepted (${code})`)
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO') {
    return fail('Tls', `no TLS connection to ${where} (${code})`, true)
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return fail('Network', `the name of ${where} was not found (${code})`)
    case 'ECONNREFUSED':
      return fail('Network', `${where} refused the connection`)
    case 'EADDRREFUSED':
      return refusedAddress(where, uri, cause)
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return timeoutError('connect', where, uri, cause)
    case 'UND_ERR_HEADERS_TIMEOUT':
      return timeoutError('first byte', where, uri, cause)
    case 'UND_ERR_BODY_TIMEOUT':
      return timeoutError('idle', where, uri, cause)
    case 'UND_ERR_HEADERS_OVERFLOW':
      return fail('Protocol', `${where} sent a head that is too long`)
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return fail('Network', `${where} closed the connection before the end of its answer`)
  }
  if (error instanceof Error && error.name === 'HTTPParserError') {
    // undici names the parser's verdict only in the message.
    if (/EOF/.test(error.message)) return fail('Network', `${where} closed the connection before the end of its answer`)
    return fail('Protocol', `${where} did not answer in valid HTTP (${messageOf(error)})`)
  }
  return fail('Network', `the connection to ${where} failed (${code || messageOf(error)})`)
}

export function timeoutError(
  phase: 'connect' | 'first byte' | 'idle',
  where: string,
  uri: string,
  cause?: unknown,
): TransferError {
  const what = {
    connect: `no connection to ${where} in time`,
    'first byte': `no answer from ${where} in time`,
    idle: `${where} fell silent in the middle of its answer`,
  }[phase]
  return new TransferError('Timeout', `Cannot fetch ${uri}: ${what}`, { url: uri, phase, cause })
}

/** A connection that ended too early; what had landed stays valid. */
export function cutError(where: string, uri: string, missing: number | undefined): TransferError {
  const rest = missing === undefined ? '' : `, ${missing} bytes short`
  return new TransferError('Network', `Cannot fetch ${uri}: ${where} closed the connection before the end${rest}`, {
    url: uri,
  })
}

/** Trying several addresses gives several errors: the first one speaks for them. */
function innermost(cause: unknown): unknown {
  if (cause instanceof AggregateError && cause.errors.length > 0) return innermost(cause.errors[0])
  // undici wraps what the socket said.
  if (cause instanceof Error && cause.cause instanceof Error && codeOf(cause.cause) !== '')
    return innermost(cause.cause)
  return cause
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\s+/g, ' ').slice(0, 200) : 'unknown reason'
}

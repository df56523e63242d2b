import { LibrarianError } from '@arriero/api'
import { redactUrl, TransferError } from '@arriero/transfer'
import { wasUnsent } from './node-fetch.ts'
import { SPEAKS_HTTP, SPEAKS_HTTPS } from './other-scheme.ts'

/** What went wrong below HTTP, in plain words, as the engine's error. */
export function networkError(error: unknown, url: URL): TransferError {
  const code = codeOf(error)
  const kind = /CERT|TLS|SSL|ALTNAME|SELF_SIGNED|EPROTO|ERR_SPEAKS/.test(code)
    ? 'Tls'
    : /TIMEOUT|TIMEDOUT/.test(code)
      ? 'Timeout'
      : 'Network'
  const why = reasons[code] ?? (error instanceof Error ? error.message : String(error))
  return new TransferError(kind, `Cannot reach the librarian at ${url.origin}: ${why}`, {
    url: redactUrl(url.href),
    remedy: schemeRemedies[code] ?? (plainCodes.has(code) ? PLAIN : remedies[kind]),
    cause: error,
  })
}

/** A call's error with what is known of the connection in plain words; any other error as it is. */
export function explained(error: unknown, address: string): unknown {
  if (!(error instanceof LibrarianError) || error.code !== 'PeerUnreachable' || error.cause === undefined) return error
  const told = networkError(error.cause, new URL(address))
  // Nobody knows what became of a request that was sent; that the caller must hear.
  return told.code !== 'Tls' && /^Lost /.test(error.message) && !wasUnsent(error.cause)
    ? told.with({ remedy: LOST })
    : told
}

const LOST = 'The librarian may have done it all the same: look with `arriero search`, then say the same again.'

/** Of what is told about a connection: the system's word for it; empty where it has none. */
export function causeOf({ cause }: Error): string {
  return cause === undefined ? '' : codeOf(cause)
}

/** What OpenSSL makes of an answer that is plain HTTP. */
const plainCodes: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'EPROTO',
])

const schemeRemedies: Readonly<Record<string, string>> = {
  [SPEAKS_HTTP]:
    'Say http:// instead of https://, and do so only in a network that you trust: passwords travel in the clear.',
  [SPEAKS_HTTPS]: 'Say https:// instead of http://.',
}

const PLAIN = 'Check the port; where the librarian really has no TLS, its address begins with http://.'

/** Of a failed look-up or connection, as Node names it; empty when it has none. */
function codeOf(error: unknown): string {
  const { code, cause, errors } = (error ?? {}) as { code?: unknown; cause?: unknown; errors?: readonly unknown[] }
  if (errors?.length) return codeOf(errors[0])
  return typeof code === 'string' ? code : cause === undefined ? '' : codeOf(cause)
}

const reasons: Readonly<Record<string, string>> = {
  [SPEAKS_HTTP]: 'this server speaks http, not https',
  [SPEAKS_HTTPS]: 'this server speaks https, not http',
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'no such host is known',
  EAI_AGAIN: 'the name server does not answer',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'it has the request and is silent',
  EHOSTUNREACH: 'no way leads to this host',
  ENETUNREACH: 'no way leads to this network',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody known here',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  HPE_INVALID_CONSTANT: 'its answer is not HTTP',
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
}

const remedies = {
  Network: 'Check the address and that the librarian runs; then say the same again.',
  Timeout: 'Check the network and that the librarian runs; then say the same again.',
  Tls: 'Check the host name; name your own certificate authority in NODE_EXTRA_CA_CERTS.',
} as const

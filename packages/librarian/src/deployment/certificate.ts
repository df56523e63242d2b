/** How long a server's certificate is still good. */
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import type { DeploymentFinding } from './finding.ts'

const DAY_MS = 24 * 3_600_000
/** Those that are renewed by themselves are, by then. */
const SOON_MS = 14 * DAY_MS

export interface CertificateOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** Whom to trust. Default: whom Node does. */
  readonly ca?: string | undefined
}

/** Undefined: the server does not answer, which others tell. */
export async function certificateFinding(
  address: string,
  { signal, timeoutMs, ca }: CertificateOptions,
): Promise<DeploymentFinding | undefined> {
  const { hostname, port, host } = new URL(address)
  const check = 'certificate'
  const met = await meet(hostname.replace(/^\[|\]$/g, ''), Number(port || 443), {
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    ca,
  })
  signal.throwIfAborted()
  if (met === undefined) return undefined
  const until = new Date(met.until)
  const leftMs = until.getTime() - Date.now()
  const next = 'Renew it, and have the proxy load it again.'
  const day = until.toISOString().slice(0, 10)
  if (leftMs <= 0) return { check, level: 'fail', found: `that of ${host} has expired on ${day}`, next }
  if (met.problem !== undefined) {
    const mend =
      'Install the whole chain at the server; of a private authority, its certificate here (NODE_EXTRA_CA_CERTS).'
    return { check, level: 'fail', found: `that of ${host} is not trusted: ${met.problem}`, next: mend }
  }
  const found = `that of ${host} is good until ${day}`
  return leftMs < SOON_MS ? { check, level: 'warn', found, next } : { check, level: 'ok', found }
}

interface Met {
  readonly until: string
  /** Why it is not believed. */
  readonly problem: string | undefined
}

function meet(
  host: string,
  port: number,
  { signal, ca }: Pick<CertificateOptions, 'signal' | 'ca'>,
): Promise<Met | undefined> {
  return new Promise(resolve => {
    // Looked at, not relied on: nothing is said over this connection.
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca }),
      ...(isIP(host) ? {} : { servername: host }),
    })
    const end = (met: Met | undefined) => {
      socket.destroy()
      resolve(met)
    }
    const giveUp = () => end(undefined)
    signal.addEventListener('abort', giveUp, { once: true })
    socket.once('error', giveUp)
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', giveUp)
      const { valid_to: until } = socket.getPeerCertificate()
      const { authorizationError } = socket
      end(until ? { until, problem: authorizationError ? String(authorizationError) : undefined } : undefined)
    })
  })
}

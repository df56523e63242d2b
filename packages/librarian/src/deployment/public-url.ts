/**
 * What the proxy makes of calls, asked from outside by the public address (docs/manual/proxy.md). No password is used: the
 * librarian refuses what is sent, and by how that comes back it shows who has answered.
 */
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { bytesPath } from '../services/byte-uploads/provider.ts'
import { certificateFinding } from './certificate.ts'
import type { DeploymentFinding, Findings } from './finding.ts'

export interface PublicUrlOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

const check = 'proxy'
const page = 'See docs/manual/proxy.md'

export async function* inspectPublicUrl(url: string, options: PublicUrlOptions): Findings {
  const address = url.replace(/\/+$/, '')
  if (address.startsWith('https:')) {
    const certificate = await certificateFinding(address, options)
    if (certificate) yield certificate
  }
  const health = await healthFinding(address, options)
  yield health
  if (health.level === 'fail') return
  yield await originFinding(address, options)
  yield await bodyFinding(address, options)
}

async function healthFinding(address: string, { signal, timeoutMs }: PublicUrlOptions): Promise<DeploymentFinding> {
  try {
    const answer = await fetch(`${address}/health`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: { 'accept-encoding': 'gzip, br' },
    })
    const state = (await answer.json().catch(() => undefined)) as { status?: string; reasons?: string[] } | undefined
    if (state?.status === undefined) {
      const next = `Is the librarian running, and does the proxy send there? ${page}.`
      return { check, level: 'fail', found: `${address} answers ${answer.status}, and not as a librarian`, next }
    }
    const coding = answer.headers.get('content-encoding')
    if (coding)
      return { check, level: 'warn', found: `it compresses answers (${coding})`, next: `Switch that off. ${page}.` }
    if (answer.ok) return { check, level: 'ok', found: `${address} leads to a librarian that works` }
    const why = state.reasons?.join('; ') ?? state.status
    return { check, level: 'warn', found: `${address} leads to a librarian that does not work: ${why}` }
  } catch (error) {
    signal.throwIfAborted()
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    const why = cause?.code ?? (error as Error).message
    return {
      check,
      level: 'fail',
      found: `${address} does not answer (${why})`,
      next: `Start the proxy; check DNS and firewall. ${page}.`,
    }
  }
}

/** By which address the librarian believes that it was called: it tells that to others. */
async function originFinding(address: string, { signal, timeoutMs }: PublicUrlOptions): Promise<DeploymentFinding> {
  const answer = await fetch(`${address}/ga4gh/drs/v1/service-info`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  })
  const info = (await answer.json().catch(() => ({}))) as { organization?: { url?: string } }
  const told = info.organization?.url
  const asked = new URL(address).origin
  if (told === asked) return { check, level: 'ok', found: 'it hands on by which address it was called' }
  const next = `The proxy must set Host and X-Forwarded-Proto, and trusted_proxies must name the proxy. ${page}.`
  return {
    check,
    level: 'warn',
    found: `the librarian believes that it was called as ${told ?? 'nothing'}, not ${asked}`,
    next,
  }
}

/** What an upload may announce. Nobody sends as much. */
const ANNOUNCED = 2 ** 40
const SENT = 64 * 1024

/** The librarian refuses at once, since there is no password; whoever wants the whole body first is not the librarian. */
async function bodyFinding(address: string, options: PublicUrlOptions): Promise<DeploymentFinding> {
  const met = await announceBody(`${address}${bytesPath}/${'0'.repeat(32)}`, options)
  options.signal.throwIfAborted()
  if (met === 'silence') {
    const next = `Switch that off (nginx: proxy_request_buffering off). ${page}.`
    return { check, level: 'fail', found: 'it gathers the bodies of uploads before it hands them on', next }
  }
  if (typeof met === 'string') return { check, level: 'warn', found: `an upload breaks off: ${met}`, next: `${page}.` }
  // Every answer of a librarian to this has the name of the call.
  if (met.headers['x-request-id'] !== undefined && met.statusCode !== 413) {
    return { check, level: 'ok', found: 'it hands on bodies of any size as they come' }
  }
  const found =
    met.statusCode === 413 ? 'it refuses large bodies (413)' : `it answers uploads itself (${met.statusCode})`
  return {
    check,
    level: 'fail',
    found,
    next: `Let bodies of any size through (nginx: client_max_body_size 0). ${page}.`,
  }
}

/** The answer's head; `silence`; or what went wrong. */
function announceBody(url: string, { signal, timeoutMs }: PublicUrlOptions): Promise<IncomingMessage | string> {
  return new Promise(resolve => {
    const request = (url.startsWith('https:') ? requestTls : requestPlain)(url, {
      method: 'PATCH',
      agent: false,
      headers: {
        'content-length': ANNOUNCED,
        'content-type': 'application/offset+octet-stream',
        'tus-resumable': '1.0.0',
        'upload-offset': 0,
      },
    })
    const end = (met: IncomingMessage | string) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      resolve(met)
      request.destroy()
    }
    const timer = setTimeout(() => end('silence'), timeoutMs)
    const stop = () => end('stopped')
    signal.addEventListener('abort', stop, { once: true })
    request.once('response', end)
    request.on('error', error => end((error as NodeJS.ErrnoException).code ?? error.message))
    request.write(Buffer.alloc(SENT))
  })
}

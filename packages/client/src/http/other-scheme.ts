/**
 * Whether a server speaks the other one of http and https: asked only after a connection has failed in the way that a wrong
 * scheme makes it fail. No credentials are sent.
 */
import { request } from 'node:http'
import { connect } from 'node:tls'

/** Codes of a call to a server that speaks the other scheme: nothing that is tried again. */
export const SPEAKS_HTTP = 'ERR_SPEAKS_HTTP'
export const SPEAKS_HTTPS = 'ERR_SPEAKS_HTTPS'

const PROBE_MS = 3000

/** The error, or one that says which scheme is right. */
export async function withRightScheme(error: unknown, url: URL): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? ''
  if (url.protocol === 'https:' && notTls.has(code)) return (await answersHttp(url)) ? coded(SPEAKS_HTTP, error) : error
  if (url.protocol === 'http:' && (code === 'ECONNRESET' || code.startsWith('HPE_'))) {
    return (await answersTls(url)) ? coded(SPEAKS_HTTPS, error) : error
  }
  return error
}

/** nginx, and servers written in Go, take a plain request on their TLS port and say what is wrong. */
export function isAboutScheme(status: number, body: string): boolean {
  return status === 400 && /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server/i.test(body)
}

/** What OpenSSL makes of bytes that are no TLS. */
const notTls: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'EPROTO',
])

function answersHttp({ hostname, port }: URL): Promise<boolean> {
  return new Promise(resolve => {
    const asked = request({ host: bare(hostname), port: port || 443, method: 'HEAD', path: '/', agent: false })
    asked.setTimeout(PROBE_MS, () => asked.destroy(new Error('silent')))
    asked.on('response', response => {
      response.resume()
      asked.destroy()
      resolve(true)
    })
    asked.on('error', () => {
      asked.destroy()
      resolve(false)
    })
    asked.end()
  })
}

function answersTls({ hostname, port }: URL): Promise<boolean> {
  return new Promise(resolve => {
    // Who it is does not matter here: nothing is sent.
    const socket = connect({ host: bare(hostname), port: Number(port || 80), rejectUnauthorized: false })
    const end = (isTls: boolean) => {
      socket.destroy()
      resolve(isTls)
    }
    socket.setTimeout(PROBE_MS, () => end(false))
    socket.on('secureConnect', () => end(true))
    socket.on('error', () => end(false))
  })
}

/** IPv6 addresses stand in brackets in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}

export function coded(code: string, cause?: unknown): NodeJS.ErrnoException {
  return Object.assign(new Error(code, { cause }), { code })
}

/** A small, correct HTTP server for tests of the program; what servers do wrong is tested in the engine. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Served {
  readonly body?: Buffer
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes per second for each answer. */
  readonly rate?: number
}

export interface TestServer {
  readonly url: string
  readonly requests: {
    readonly path: string
    readonly range: string | undefined
    readonly headers: IncomingMessage['headers']
  }[]
  /** Serves this from now on. */
  serve(path: string, served: Served): void
  close(): Promise<void>
}

/** Deterministic bytes (retrieval 18). */
export function testBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = (131 * i + 17 * (i >> 8) + 7 * (i >> 16)) & 255
  return bytes
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export async function startServer(): Promise<TestServer> {
  const files = new Map<string, Served>()
  const requests: TestServer['requests'] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/').split('?')[0]!
    requests.push({ path, range: request.headers.range, headers: request.headers })
    const served = files.get(path)
    if (served) answer(request, response, served)
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing here\n')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    serve: (path, served) => void files.set(path, served),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(request: IncomingMessage, response: ServerResponse, served: Served): void {
  const { body = Buffer.alloc(0), status, headers = {}, rate } = served
  if (status !== undefined) {
    response.writeHead(status, headers).end(body)
    return
  }
  const etag = etagOf(body)
  const common = { 'accept-ranges': 'bytes', etag, 'last-modified': 'Mon, 02 Mar 2026 10:00:00 GMT', ...headers }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
  const start = Number(range?.[1] ?? 0)
  const end = Math.min(body.length, range?.[2] ? Number(range[2]) + 1 : body.length)
  if (range && isSame && start >= body.length) {
    response.writeHead(416, { ...common, 'content-range': `bytes */${body.length}` }).end()
    return
  }
  const part = range && isSame ? body.subarray(start, end) : body
  const more = range && isSame ? { 'content-range': `bytes ${start}-${end - 1}/${body.length}` } : {}
  response.writeHead(range && isSame ? 206 : 200, { ...common, ...more, 'content-length': part.length })
  if (request.method === 'HEAD') response.end()
  else if (rate === undefined) response.end(part)
  else sendSlowly(response, part, rate)
}

const etags = new WeakMap<Buffer, string>()

/** Computed once: of a large body it takes longer than the answer. */
function etagOf(body: Buffer): string {
  const etag = etags.get(body) ?? `"${sha256(body).slice(0, 16)}"`
  etags.set(body, etag)
  return etag
}

const stepMs = 20

function sendSlowly(response: ServerResponse, bytes: Buffer, rate: number): void {
  const step = Math.max(1, Math.floor((rate * stepMs) / 1000))
  let at = 0
  const timer = setInterval(() => {
    response.write(bytes.subarray(at, (at += step)))
    if (at < bytes.length) return
    clearInterval(timer)
    response.end()
  }, stepMs)
  response.on('close', () => clearInterval(timer))
}

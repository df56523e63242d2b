/** A correct HTTP server that counts what it is asked for. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CountingServer {
  readonly url: string
  /** Bytes of content that were asked for since `reset`, by path. */
  readonly asked: ReadonlyMap<string, number>
  reset(): void
  [Symbol.asyncDispose](): Promise<void>
}

export async function startServer(files: ReadonlyMap<string, Buffer>): Promise<CountingServer> {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => answer(request, response, files, asked))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    reset: () => asked.clear(),
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(
  { url = '/', headers, method }: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, Buffer>,
  asked: Map<string, number>,
): void {
  const bytes = files.get(url)
  if (!bytes) {
    response.writeHead(404).end()
    return
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
  const start = Number(range?.[1] ?? 0)
  const end = Math.min(bytes.length, range?.[2] ? Number(range[2]) + 1 : bytes.length)
  const common = { 'accept-ranges': 'bytes', etag: `"${bytes.length}-${url}"` }
  if (start >= bytes.length) {
    response.writeHead(416, { ...common, 'content-range': `bytes */${bytes.length}` }).end()
    return
  }
  if (method !== 'HEAD') asked.set(url, (asked.get(url) ?? 0) + end - start)
  const more = range ? { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` } : {}
  response.writeHead(range ? 206 : 200, { ...common, ...more, 'content-length': end - start })
  response.end(method === 'HEAD' ? undefined : bytes.subarray(start, end))
}

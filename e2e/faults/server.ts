/** A correct HTTP server that counts what it is asked for. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'

export interface CountingServer {
  readonly url: string
  /** Bytes of content that were asked for since `reset`, by path. */
  readonly asked: ReadonlyMap<string, number>
  /** Forgets what was asked for, once requests of a program that has ended are out of the way. */
  reset(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** @param paceMs time that each answer takes: without it everything is there before the first byte is written */
export async function startServer(files: ReadonlyMap<string, Buffer>, paceMs: number): Promise<CountingServer> {
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    if (paceMs > 0) setTimeout(() => answer(request, response, files, asked), paceMs)
    else answer(request, response, files, asked)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async reset() {
      await setTimeoutPromise(10 + paceMs)
      server.closeAllConnections()
      asked.clear()
    },
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

/** A tus server on loopback that fails as a test tells it to. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TusServer {
  readonly origin: string
  /** Makes an upload and gives its address. */
  make(length: number): URL
  /** What was received, by the upload's path. */
  readonly uploads: Map<string, { readonly length: number; bytes: Buffer }>
  /** Method and path, in order. */
  readonly requests: string[]
  /** Asked before each request; true: it has answered itself. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Take this many bytes of the next PATCH, then break the connection. */
  cutAfter: number | undefined
  close(): void
}

export async function startTusServer(): Promise<TusServer> {
  const uploads: TusServer['uploads'] = new Map()
  let next = 0
  const server = createServer((request, response) => {
    twin.requests.push(`${request.method} ${request.url}`)
    if (twin.intercept(request, response)) return void request.resume()
    const upload = uploads.get(request.url ?? '')
    if (!upload) response.writeHead(404).end()
    else if (request.method === 'HEAD') {
      response.writeHead(200, { 'upload-offset': upload.bytes.length, 'upload-length': upload.length }).end()
    } else patch(request, response, upload)
  })

  function patch(request: IncomingMessage, response: ServerResponse, upload: { bytes: Buffer }): void {
    if (Number(request.headers['upload-offset']) !== upload.bytes.length) return void response.writeHead(409).end()
    const taken: Buffer[] = []
    request.on('data', (chunk: Buffer) => {
      taken.push(chunk)
      const all = Buffer.concat(taken)
      if (twin.cutAfter !== undefined && all.length >= twin.cutAfter) {
        upload.bytes = Buffer.concat([upload.bytes, all.subarray(0, twin.cutAfter)])
        twin.cutAfter = undefined
        request.destroy()
      }
    })
    request.on('end', () => {
      const piece = Buffer.concat(taken)
      const digest = createHash('sha256').update(piece).digest('base64')
      if (request.headers['upload-checksum'] !== `sha256 ${digest}`) return void response.writeHead(460).end()
      upload.bytes = Buffer.concat([upload.bytes, piece])
      response.writeHead(204, { 'upload-offset': upload.bytes.length }).end()
    })
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const twin: TusServer = {
    origin,
    make(length) {
      const path = `/files/${next++}`
      uploads.set(path, { length, bytes: Buffer.alloc(0) })
      return new URL(path, origin)
    },
    uploads,
    requests: [],
    intercept: () => false,
    cutAfter: undefined,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return twin
}

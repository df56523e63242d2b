/** Bytes of an object as the service sends them, decompressive transcoding included. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { StoredObject } from './store.ts'

export interface MediaOptions {
  /** `x-goog-hash` as one field with commas, or one field per hash. */
  readonly hashFields: 'one' | 'many'
  /** Body bytes before the connection is cut. */
  readonly cutAfter?: number | undefined
  /** This byte of the body, counted from its beginning, is another one. */
  readonly flipAt?: number | undefined
}

export function sendMedia(
  request: IncomingMessage,
  response: ServerResponse,
  object: StoredObject,
  options: MediaOptions,
): void {
  response.setHeaders(new Map(Object.entries(headersOf(object))))
  const hashes = [`crc32c=${object.crc32c}`, ...(object.md5 ? [`md5=${object.md5}`] : [])]
  response.setHeader('x-goog-hash', options.hashFields === 'one' ? hashes.join(',') : hashes)
  const { contentEncoding: coding, bytes } = object
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  if (coding === 'gzip' && !takesGzip) {
    // Inflated on the way: no length, no ranges, and the hashes are those of what is stored.
    response.setHeader('warning', '214 UploadServer gunzipped')
    response.writeHead(200)
    send(request, response, gunzipSync(bytes), options)
    return
  }
  if (coding) response.setHeader('content-encoding', coding)
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (!range) {
    response.writeHead(200, { 'content-length': bytes.length })
    send(request, response, bytes, options)
    return
  }
  const start = Number(range[1])
  const end = range[2] ? Math.min(Number(range[2]) + 1, bytes.length) : bytes.length
  if (start >= bytes.length) {
    response.removeHeader('x-goog-hash')
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}`, 'content-length': 0 }).end()
    return
  }
  response.writeHead(206, {
    'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
    'content-length': end - start,
  })
  send(request, response, bytes.subarray(start, end), options)
}

function headersOf({ generation, bytes, contentEncoding, updated }: StoredObject): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
    // Without quotes, as the JSON API says it.
    etag: Buffer.from(generation).toString('base64'),
    'last-modified': updated.toUTCString(),
    'x-goog-generation': generation,
    'x-goog-metageneration': '1',
    'x-goog-stored-content-encoding': contentEncoding ?? 'identity',
    'x-goog-stored-content-length': String(bytes.length),
    'x-goog-storage-class': 'STANDARD',
  }
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  { cutAfter, flipAt }: MediaOptions,
) {
  if (method === 'HEAD') return void response.end()
  const sent = Uint8Array.from(body)
  if (flipAt !== undefined && flipAt < sent.length) sent[flipAt] = (sent[flipAt] as number) ^ 1
  if (cutAfter === undefined || cutAfter >= sent.length) return void response.end(sent)
  response.write(sent.subarray(0, cutAfter), () => response.socket?.destroy())
}

/** An honest HTTP answer for one file: ranges, a strong entity tag, If-Range, HEAD; and what the target does besides. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Content } from './content.ts'
import { cappedRate, cutEvery, latencyMs, refuseEvery, type TargetName } from './targets.ts'

export const contentPath = '/data.bin'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export function serveContent(content: Content, etag: string, target: TargetName): Handler {
  const counts = { requests: 0, bodies: 0 }
  return (request, response) => {
    answer(request, response, { content, etag, target, counts }).catch(() => response.destroy())
  }
}

interface Serving {
  readonly content: Content
  readonly etag: string
  readonly target: TargetName
  readonly counts: { requests: number; bodies: number }
}

async function answer(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { content, etag, target, counts } = serving
  if (target === 'latency') await sleep(latencyMs)
  if (request.url !== contentPath) return void response.writeHead(404).end()
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end()
  if (target === 'faults' && ++counts.requests % refuseEvery === 0) {
    return void response.writeHead(503, { 'retry-after': '0', 'content-length': 0 }).end()
  }
  const common = { 'accept-ranges': 'bytes', etag: `"${etag}"`, 'content-type': 'application/octet-stream' }
  const asked = isFresh(request, etag) ? parseRange(request.headers.range, content.size) : undefined
  if (asked === 'unsatisfiable') {
    return void response.writeHead(416, { ...common, 'content-range': `bytes */${content.size}` }).end()
  }
  const { start, end } = asked ?? { start: 0, end: content.size }
  const range = asked ? { 'content-range': `bytes ${start}-${end - 1}/${content.size}` } : {}
  response.writeHead(asked ? 206 : 200, { ...common, ...range, 'content-length': end - start })
  if (request.method === 'HEAD') return void response.end()
  const isCut = target === 'faults' && ++counts.bodies % cutEvery === 0
  await send(response, content.pieces(start, isCut ? start + Math.floor((end - start) / 2) : end), target)
  // After what was written: to destroy it would throw away the head as well.
  if (isCut) response.socket?.end()
  else response.end()
}

function isFresh({ headers }: IncomingMessage, etag: string): boolean {
  const condition = headers['if-range']
  return condition === undefined || condition === `"${etag}"`
}

/** Of one range; several, or another unit, are answered with the whole (RFC 9110, 14.2). */
export function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  return start < end ? { start, end } : 'unsatisfiable'
}

async function send(response: ServerResponse, pieces: Iterable<Buffer>, target: TargetName): Promise<void> {
  const pace = target === 'capped' ? paceOf(response.socket!) : undefined
  for (const piece of pieces) {
    for (const part of pace ? slices(piece) : [piece]) {
      await pace?.(part.length)
      if (response.destroyed) return
      if (!response.write(part)) await drained(response)
    }
  }
}

const sliceBytes = 64 * 1024

function* slices(piece: Buffer): Generator<Buffer> {
  for (let at = 0; at < piece.length; at += sliceBytes) yield piece.subarray(at, at + sliceBytes)
}

type Pace = (bytes: number) => Promise<void> | undefined
const paces = new WeakMap<Socket, Pace>()

/** Of the connection, not of the answer: whoever asks again on it does not begin afresh. */
function paceOf(socket: Socket): Pace {
  const known = paces.get(socket)
  if (known) return known
  let freeAt = performance.now()
  const pace: Pace = bytes => {
    const now = performance.now()
    freeAt = Math.max(freeAt, now) + (bytes / cappedRate) * 1000
    return freeAt - now > 2 ? sleep(freeAt - now) : undefined
  }
  paces.set(socket, pace)
  return pace
}

/** Also when whoever reads has gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

/**
 * Keeps connections within bounds (reliability 6): so many of one address, so many of all, and no body slower than a floor
 * rate. There is no time limit on a request as such: an upload of a day is healthy as long as it moves.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import type { Limits } from '../config.ts'
import type { Log } from '../log.ts'
import type { IsTrusted } from './trusted-addresses.ts'

export interface GuardOptions {
  readonly limits: Pick<Limits, 'connections' | 'connectionsPerAddress' | 'floorRate'>
  /** Addresses that stand for many callers: only the cap on all counts for them; `limitForwarded` counts those behind. */
  readonly isTrusted: IsTrusted
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** Over which the rate is taken. Default 60,000. */
  readonly windowMs?: number | undefined
}

export function guardConnections(server: Server, options: GuardOptions): void {
  server.maxConnections = options.limits.connections
  capAddresses(server, options)
  watchBodies(server, options)
}

function capAddresses(server: Server, { limits, isTrusted, log }: GuardOptions): void {
  const counts = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    if (isTrusted(address)) return
    const count = (counts.get(address) ?? 0) + 1
    if (count > limits.connectionsPerAddress) {
      log.warn({ address }, 'A connection was refused: its address has too many')
      socket.destroy()
      return
    }
    counts.set(address, count)
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1
      if (left === 0) counts.delete(address)
      else counts.set(address, left)
    })
  })
}

interface Watched {
  readonly response: ServerResponse
  bytes: number
  since: number
}

function watchBodies(server: Server, { limits, clock, log, windowMs = 60_000 }: GuardOptions): void {
  const watched = new Map<IncomingMessage, Watched>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.complete) return
    watched.set(request, { response, bytes: request.socket.bytesRead, since: clock.now() })
    request.once('close', () => watched.delete(request))
    response.once('close', () => watched.delete(request))
  })
  const timer = setInterval(() => {
    for (const [request, watch] of watched) {
      if (request.complete) watched.delete(request)
      else look(request, watch)
    }
  }, windowMs / 12)
  timer.unref()
  server.once('close', () => clearInterval(timer))

  function look(request: IncomingMessage, watch: Watched): void {
    const now = clock.now()
    const { bytesRead } = request.socket
    // Bytes that wait for us: the slowness is ours, a disk's for example.
    const isOurs = request.readableLength > 0
    const elapsed = now - watch.since
    if (!isOurs && elapsed < windowMs) return
    const isTooSlow = !isOurs && bytesRead - watch.bytes < (limits.floorRate * elapsed) / 1000
    watch.bytes = bytesRead
    watch.since = now
    if (isTooSlow) cutOff(request, watch.response)
  }

  function cutOff(request: IncomingMessage, response: ServerResponse): void {
    log.warn({ address: request.socket.remoteAddress ?? '' }, 'A request was cut off: its body came too slowly')
    watched.delete(request)
    if (!response.headersSent)
      request.socket.write('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    request.socket.destroySoon()
  }
}

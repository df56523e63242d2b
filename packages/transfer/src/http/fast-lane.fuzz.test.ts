/**
 * Whatever way an answer is cut into segments, and whatever the landing does meanwhile, the right bytes land, once, and
 * the connection's next answer is not confused by the last one. The seed is printed on failure; ARRIERO_SEED repeats.
 */

import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, describe, expect, test } from 'vitest'
import { makeCertificate } from '../../test/fault-server/certificate.ts'
import { failureOf, fetchBytes } from '../../test/fetch-bytes.ts'
import type { RecordingLanding } from '../../test/recording-landing.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { createHttpSource } from '../sources/http.ts'
import { createOrigins } from './origins.ts'

const seed = Number(process.env.ARRIERO_SEED ?? Math.floor(Math.random() * 2 ** 31))
const content = contentOf(400_000)
const { certificate, key } = makeCertificate()
const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.close()
})

function generator(start: number): (below: number) => number {
  let state = start >>> 0 || 1
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Answers every ranged GET rightly, in segments of random size with random pauses. */
async function serve(
  random: (below: number) => number,
  tls: boolean,
): Promise<{ port: number; requests: () => number }> {
  let requests = 0
  const answer = async (socket: Socket) => {
    let buffered = ''
    socket.on('error', () => {})
    socket.setNoDelay(true)
    for await (const piece of socket) {
      buffered += piece.toString('latin1')
      const match = /range: bytes=(\d+)-(\d+)[\s\S]*?\r\n\r\n/.exec(buffered)
      if (!match) continue
      buffered = ''
      requests++
      const [start, end] = [Number(match[1]), Number(match[2]) + 1]
      const padding = 'x'.repeat(random(3) === 0 ? random(15_000) : 0)
      const head = `HTTP/1.1 206 Partial Content\r\nX-Padding: ${padding}\r\nContent-Length: ${end - start}\r\nContent-Range: bytes ${start}-${end - 1}/${content.length}\r\nETag: "v"\r\n\r\n`
      const bytes = Buffer.concat([Buffer.from(head, 'latin1'), content.subarray(start, end)])
      for (let at = 0; at < bytes.length && !socket.destroyed; ) {
        const size = random(4) === 0 ? 1 + random(20) : 1 + random(60_000)
        socket.write(bytes.subarray(at, at + size))
        at += size
        if (random(3) === 0) await new Promise(resolve => setImmediate(resolve))
        if (random(20) === 0) await new Promise(resolve => setTimeout(resolve, 2))
      }
    }
  }
  const onSocket = (socket: Socket) => void answer(socket).catch(() => {})
  const server = tls ? createTlsServer({ cert: certificate, key }, onSocket) : createServer(onSocket)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, requests: () => requests }
}

describe.each([false, true])('fast lane, TLS %s', tls => {
  test(`lands the right bytes under random segments, room, limits and aborts (seed ${seed})`, async () => {
    const random = generator(seed + (tls ? 1 : 0))
    const { port, requests } = await serve(random, tls)
    const origins = createOrigins({ tls: { ca: certificate } })
    const source = createHttpSource(`${tls ? 'https' : 'http'}://127.0.0.1:${port}/x`, { origins })
    await fetchBytes(source, { range: { start: 0, end: 1 } })
    const one = async () => {
      const start = random(content.length - 1)
      const length = 1 + random(random(2) === 0 ? 2000 : content.length - start - 1)
      const end = Math.min(content.length, start + length)
      const abort = new AbortController()
      const plan = ['plain', 'plain', 'starve', 'lower', 'abort'][random(5)] as string
      const turn = random(end - start)
      let landing: RecordingLanding | undefined
      const fetching = fetchBytes(source, {
        range: { start, end },
        signal: abort.signal,
        grant: random(2) === 0 ? 1 + random(5000) : undefined,
        room: plan === 'starve' ? turn : undefined,
        onLanding: made => {
          landing = made
          if (plan === 'starve') void feed(made, end - start, random)
        },
        onAdvance: made => {
          if (plan === 'lower' && made.position >= turn && made.limit === end - start) {
            made.lower(made.position + random(end - start - made.position + 1))
          }
          if (plan === 'abort' && made.position >= turn) abort.abort(new Error('enough'))
        },
      })
      if (plan === 'abort') {
        await fetching.catch(error => expect(error.message).toBe('enough'))
      } else await fetching
      const made = landing as RecordingLanding
      if (plan === 'plain' || plan === 'starve') expect(made.position).toBe(end - start)
      if (plan === 'lower') expect(made.position).toBe(made.limit)
      expectSame(made.bytes, content.subarray(start, start + made.position))
      // The memory is ours again: nothing may be written into it any more.
      const { position } = made
      made.memory.fill(0xaa)
      await new Promise(resolve => setTimeout(resolve, 3))
      expect(made.position).toBe(position)
      expect(made.memory.every(byte => byte === 0xaa)).toBe(true)
    }
    for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 1 + random(4) }, one))
    expect(requests()).toBeGreaterThan(100)
    await origins.close()
  }, 60_000)
})

test('no connection within the time is a Timeout, TLS handshake included, in both lanes', async () => {
  const mute = createServer(socket => void socket.on('error', () => {}).resume())
  servers.push(mute)
  await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve))
  const uri = `https://127.0.0.1:${(mute.address() as AddressInfo).port}/`
  for (const isProven of [false, true]) {
    const origins = createOrigins({ timeouts: { connectMs: 300 } })
    const source = createHttpSource(uri, { origins })
    if (isProven) origins.of(source.origin).prove()
    const failure = await failureOf(fetchBytes(source, { range: { start: 0, end: 1 } }))
    expect(failure).toMatchObject({ code: 'Timeout', details: { phase: 'connect' } })
    await origins.close()
  }
})

async function feed(landing: RecordingLanding, size: number, random: (below: number) => number): Promise<void> {
  while (landing.position < size) {
    await new Promise(resolve => setTimeout(resolve, random(2)))
    if (landing.room().length === 0) landing.give(1 + random(20_000))
  }
}

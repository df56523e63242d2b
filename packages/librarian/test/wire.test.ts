/** The attack matrix's rows of HTTP and JSON, over real sockets (reliability 6). */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { pingRoutes } from '../src/routes/ping.ts'
import type { RawRoute } from '../src/routes/raw-route.ts'
import { rawHttp } from './raw-http.ts'

const authorization = `authorization: Basic ${Buffer.from('a:b').toString('base64')}\r\n`
const head = `POST /api/v2/ping HTTP/1.1\r\nhost: x\r\n${authorization}`
const good = `${head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`

/** Reads its body slowly or not at all: what uploads may do. */
const sinkRoute: RawRoute = {
  methods: ['PUT'],
  path: '/sink',
  level: 'READONLY',
  async handle(request, response) {
    let size = 0
    for await (const chunk of request) size += chunk.length
    response.end(String(size))
  },
}

async function listen(limits: object = {}): Promise<{ app: FastifyInstance; port: number }> {
  const app = await createApp({
    settings: {
      debug: false,
      trustedProxies: [],
      limits: {
        jsonBytes: 1024 * 1024,
        connectionsPerAddress: 1024,
        connections: 4096,
        requestsPerUser: 512,
        floorRate: 1024,
        ...limits,
      },
    },
    routes: pingRoutes({ displayedSiteName: 'Here', displayedSiteDescription: 'D' }),
    rawRoutes: [sinkRoute],
    authenticator: { authenticate: async () => ({ name: 'a', level: 'ADMIN' }) },
    once: async (_call, work) => ({ kept: await work(), isReplay: false }),
    readiness: async () => [],
    clock: systemClock,
    log: silentLog,
    isUnserved: ({ path }) => !path.startsWith('ping'),
    bodyWindowMs: 600,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, port: (app.server.address() as { port: number }).port }
}

let app: FastifyInstance
let port: number
beforeAll(async () => {
  ;({ app, port } = await listen())
})
afterAll(() => app.close())

describe('malformed HTTP is answered 400, and the connection ends', () => {
  test.each([
    ['length and chunks', `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks and length', `${head}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
    ['a length that is none', `${head}content-length: 2x\r\n\r\n{}`],
    ['a negative length', `${head}content-length: -2\r\n\r\n{}`],
    ['an odd transfer encoding', `${head}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['chunked and something else', `${head}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['bare line feeds', good.replaceAll('\r\n', '\n')],
    ['a space before the colon', `${head}content-length : 2\r\n\r\n{}`],
    ['no host', good.replace('host: x\r\n', '')],
    ['a folded header', `${head}x-a: 1\r\n 2\r\ncontent-length: 2\r\n\r\n{}`],
    ['a line feed in a chunk’s extension', `${head}transfer-encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n`],
    ['a chunk size that is none', `${head}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['a control character in a header', `${head}x-a: \u0001\r\ncontent-length: 2\r\n\r\n{}`],
    ['no HTTP at all', 'hello\r\n\r\n'],
  ])('%s', async (_, request) => {
    // What follows must not be taken for a request of its own.
    const { statuses, isClosed } = await rawHttp(port, [request, good])
    expect([statuses, isClosed]).toEqual([[400], true])
  })

  test('headers beyond 16 KiB: 431', async () => {
    const { statuses, isClosed } = await rawHttp(port, [`${head}x-a: ${'a'.repeat(20_000)}\r\n\r\n`])
    expect([statuses, isClosed]).toEqual([[431], true])
  })
})

test('two good requests on one connection have two answers', async () => {
  const { statuses, isClosed } = await rawHttp(port, [good, good])
  expect([statuses, isClosed]).toEqual([[200, 200], false])
})

describe('a body that is refused before it was read ends the connection', () => {
  test('a length beyond the limit: 413', async () => {
    const { statuses, isClosed, text } = await rawHttp(port, [
      `${head}content-type: application/json\r\ncontent-length: 1048577\r\n\r\n{`,
    ])
    expect([statuses, isClosed]).toEqual([[413], true])
    expect(text.toLowerCase()).toContain('connection: close')
  })

  test('chunks beyond the limit: 413', async () => {
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
    const { statuses, isClosed } = await rawHttp(port, [
      `${head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      ...Array(20).fill(chunk),
    ])
    expect([statuses, isClosed]).toEqual([[413], true])
  })

  test('a compressed one: 415', async () => {
    const { statuses, isClosed } = await rawHttp(port, [
      `${head}content-encoding: gzip\r\ncontent-length: 100\r\n\r\nabc`,
    ])
    expect([statuses, isClosed]).toEqual([[415], true])
  })

  test('on a path that is none: 404', async () => {
    const { statuses, isClosed } = await rawHttp(port, [
      `POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc`,
    ])
    expect([statuses, isClosed]).toEqual([[404], true])
  })
})

describe('JSON bodies', () => {
  const post = (payload: string, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/api/v2/ping/', payload, headers: { authorization: 'Basic YTpi', ...headers } })

  test('need no Content-Type, and take no other than JSON', async () => {
    expect((await post('{}')).statusCode).toBe(200)
    expect((await post('{}', { 'content-type': 'application/json; charset=utf-8' })).statusCode).toBe(200)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      expect([type, (await post('{}', { 'content-type': type })).statusCode]).toEqual([type, 415])
    }
  })

  test('are not taken from web pages of other sites', async () => {
    for (const site of ['cross-site', 'same-site'])
      expect((await post('{}', { 'sec-fetch-site': site })).statusCode).toBe(422)
    for (const site of ['same-origin', 'none'])
      expect((await post('{}', { 'sec-fetch-site': site })).statusCode).toBe(200)
  })

  test.each([
    ['not JSON', '{'],
    ['no object', '3'],
    ['nothing', ''],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['__proto__', '{"__proto__":{"x":1}}'],
    ['a field twice', '{"a":1,"a":2}'],
    ['too deep', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`],
    ['an imprecise number', '{"a":9007199254740993}'],
  ])('%s: 422, as a text that real clients can decode', async (_, payload) => {
    const answer = await post(payload as string, { 'content-type': 'application/json' })
    expect(answer.statusCode).toBe(422)
    expect(JSON.parse(answer.json().detail)).toEqual({
      code: 'BadRequest',
      reason: expect.any(String),
      suggested_remedy: expect.any(String),
    })
  })
})

describe('slow callers', () => {
  test('a body below the floor rate is cut off; one above it is not, however long it takes', async () => {
    const put = `PUT /sink HTTP/1.1\r\nhost: x\r\n${authorization}content-length: 20000\r\n\r\n`
    const drip = (bytes: number) => sendSlowly(port, put, { bytes, everyMs: 100, times: 20_000 / bytes })
    const [slow, healthy] = await Promise.all([drip(20), drip(1000)])
    expect(slow).toMatch(/^HTTP\/1\.1 408 /)
    expect(healthy).toMatch(/^HTTP\/1\.1 200 [\s\S]*20000$/)
  })

  test('headers that never end are cut off', async () => {
    const { headersTimeout, requestTimeout } = app.server
    expect([headersTimeout, requestTimeout]).toEqual([15_000, 0])
  })
})

async function sendSlowly(
  to: number,
  start: string,
  { bytes, everyMs, times }: { bytes: number; everyMs: number; times: number },
) {
  const socket = connect(to, '127.0.0.1')
  let text = ''
  let isOver = false
  socket.setEncoding('latin1').on('data', data => (text += data))
  socket.on('error', () => {})
  socket.on('close', () => (isOver = true))
  socket.write(start)
  for (let at = 0; at < times && !isOver; at++) {
    await delay(everyMs)
    if (!isOver) socket.write('x'.repeat(bytes))
  }
  await expect.poll(() => isOver || /\r\n\r\n./.test(text), { timeout: 10_000 }).toBe(true)
  socket.destroy()
  return text
}

describe('connections', () => {
  test('of one address are capped, and leave room when they end', async () => {
    const small = await listen({ connectionsPerAddress: 3 })
    const held: Socket[] = []
    for (let at = 0; at < 3; at++) held.push(await open(small.port))
    expect(await rawHttp(small.port, [good])).toMatchObject({ statuses: [], isClosed: true })
    for (const socket of held) socket.destroy()
    await expect.poll(async () => (await rawHttp(small.port, [good])).statuses).toEqual([200])
    await small.app.close()
  })

  test('a user has so many requests at a time', async () => {
    const small = await listen({ requestsPerUser: 1 })
    const put = `PUT /sink HTTP/1.1\r\nhost: x\r\n${authorization}content-length: 5\r\n\r\nabc`
    const held = await open(small.port)
    held.write(put)
    const ask = () => rawHttp(small.port, [put.replace('abc', 'abcde')])
    // Until the other one has come.
    let refused = await ask()
    await expect.poll(async () => (refused = await ask()).statuses).toEqual([429])
    expect(refused.text.toLowerCase()).toContain('retry-after: 1')
    held.destroy()
    await expect.poll(async () => (await ask()).statuses).toEqual([200])
    await small.app.close()
  })
})

describe('while the server stops', () => {
  test.each([
    ['an endpoint of the wire', 'POST /api/v2/ping'],
    ['another route', 'PUT /sink'],
    ['what is not there', 'GET /nothing'],
  ])('%s refuses in its own form, says when to come again, and ends the connection', async (_, call) => {
    const stopping = await listen()
    const connected = once(stopping.app.server, 'connection') as Promise<[Socket]>
    const socket = await open(stopping.port)
    const [served] = await connected
    socket.write(`${call} HTTP/1.1\r\nhost: x\r\n`)
    await expect.poll(() => served.bytesRead).toBeGreaterThan(0)
    const closed = stopping.app.close()
    await expect.poll(() => stopping.app.server.listening).toBe(false)
    socket.write(`${authorization}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`)
    const answer = await text(socket)
    await closed
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 503 /)
    expect(head.toLowerCase()).toContain('\r\nretry-after: 5')
    expect(head.toLowerCase()).toContain('\r\nconnection: close')
    expect(JSON.parse(body)).toMatchObject({
      reason: 'Cannot take the call: the server is stopping',
      suggested_remedy: expect.any(String),
    })
  })
})

function open(to: number): Promise<Socket> {
  return new Promise(resolve => {
    const socket = connect(to, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => {})
  })
}

test('every answer carries its request’s id, and none the server’s make', async () => {
  for (const url of ['/api/v2/ping', '/nowhere', '/health']) {
    const { headers } = await app.inject({ method: 'POST', url })
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16}$/)
    expect([headers.server, headers['x-powered-by']]).toEqual([undefined, undefined])
  }
})

test('health needs no credentials', async () => {
  for (const url of ['/health', '/health/live', '/health/ready']) {
    const answer = await app.inject({ method: 'GET', url })
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'ok' }])
  }
})

test('the API’s description is served only where debug says so', async () => {
  for (const url of ['/redoc', '/api/v2/openapi.json']) expect((await app.inject({ url })).statusCode).toBe(404)
})

/** HTTP itself, and JSON, as a whole server takes them (reliability 6); more of both in `../wire.test.ts`. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { basic } from '../house.ts'
import { rawHttp } from '../raw-http.ts'
import { attack, expectGeneric, refuse } from './attack.ts'
import { announcementOf, openSite, type Site } from './site.ts'

let site: Site
beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site[Symbol.asyncDispose]())

const password = 'smuggled in'
const smuggled = JSON.stringify({ username: 'smuggled', password, permission: 100 })

/** A request that would make an administrator, were it taken for one. */
const second =
  `POST /api/v2/users/create HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('admin')}\r\n` +
  `content-type: application/json\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`

const head = (path = '/api/v2/ping') => `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('readonly')}\r\n`

/** What follows the first request is its body by one reading, and a request of its own by another. */
const forms: readonly [what: string, request: string][] = [
  ['length and chunks', `content-length: ${second.length + 5}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks and length', 'transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n'],
  ['two different lengths', 'content-length: 2\r\ncontent-length: 0\r\n\r\n'],
  ['two lengths in one header', 'content-length: 2, 0\r\n\r\n'],
  ['chunks twice', 'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n'],
  ['chunks by another name', 'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n'],
  ['chunks with a tab', 'transfer-encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n'],
  ['chunks before a comma', 'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
  ['a blank before the colon', 'content-length : 0\r\n\r\n'],
  ['a folded header', 'x-a: 1\r\n content-length: 0\r\n\r\n'],
  ['a header without a name', ': 1\r\ncontent-length: 0\r\n\r\n'],
  ['bare line feeds', 'content-length: 0\n\n'],
  ['a length with a sign', 'content-length: +2\r\n\r\n{}'],
  ['a length in hex', 'content-length: 0x2\r\n\r\n{}'],
  ['a length beyond all numbers', 'content-length: 99999999999999999999\r\n\r\n{}'],
  ['a chunk size beyond all numbers', 'transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n'],
  ['a chunk size with a minus', 'transfer-encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n'],
  ['a chunk extension with a line feed', 'transfer-encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n'],
  ['a NUL in a header', 'x-a: a\0b\r\ncontent-length: 0\r\n\r\n'],
]

for (const [what, request] of forms) {
  attack('smuggling', `${what}: 400, the connection ends, and nothing behind it is obeyed`, async () => {
    const before = await site.holdings()
    const { statuses, isClosed, text } = await site.raw(head() + request, second)
    expect([statuses, isClosed]).toEqual([[400], true])
    expect(text.toLowerCase()).toContain('connection: close')
    expect(await site.holdings()).toBe(before)
  })
}

for (const [what, headers] of [
  ['no host', ''],
  ['two hosts', 'host: x\r\nhost: y\r\n'],
  ['credentials twice', `host: x\r\nauthorization: ${basic('readonly')}\r\nAuthorization: ${basic('admin')}\r\n`],
  ['a type twice', 'host: x\r\ncontent-type: application/json\r\ncontent-type: text/plain\r\n'],
] as const) {
  attack('smuggling', `${what}: 400, and the connection ends`, async () => {
    const before = await site.holdings()
    const { statuses, isClosed } = await site.raw(
      `POST /api/v2/ping HTTP/1.1\r\n${headers}content-length: 2\r\n\r\n{}`,
      second,
    )
    expect([statuses, isClosed]).toEqual([[400], true])
    expect(await site.holdings()).toBe(before)
  })
}

attack('smuggling', 'a refused request with an unread body ends its connection: the rest is no request', async () => {
  const before = await site.holdings()
  for (const start of [head('/api/v2/nowhere'), head('/api/v2/users/create'), head('/api/v2/upload/bytes')]) {
    const { statuses } = await site.raw(`${start}content-length: ${second.length + 100}\r\n\r\n`, second)
    expect(statuses.length).toBeLessThanOrEqual(1)
    expect(await site.holdings()).toBe(before)
  }
})

test('the request that is smuggled would be obeyed, came it by itself', async () => {
  const { statuses } = await site.raw(second)
  expect(statuses).toEqual([201])
  await site.post('users/delete', { username: 'smuggled' })
})

// ——— Slow callers ———

attack('slow callers', 'headers that never end are cut off, while others are served', async () => {
  const app = await createApp({
    settings: {
      debug: false,
      trustedProxies: [],
      limits: { jsonBytes: 1024, connectionsPerAddress: 64, connections: 64, requestsPerUser: 64, floorRate: 1 },
    },
    routes: [],
    rawRoutes: [],
    authenticator: { authenticate: async () => ({ name: 'a', level: 'ADMIN' }) },
    once: async (_, work) => ({ kept: await work(), isReplay: false }),
    readiness: async () => [],
    clock: systemClock,
    log: silentLog,
    isUnserved: () => true,
    headersTimeoutMs: 300,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const slow = connect(port, '127.0.0.1')
  let text = ''
  slow.setEncoding('latin1').on('data', chunk => (text += chunk))
  slow.on('error', () => {})
  const closed = new Promise(resolve => slow.on('close', resolve))
  slow.write('GET /health HTTP/1.1\r\nhost: x\r\n')
  const dripping = setInterval(() => slow.writable && slow.write('x-a: b\r\n'), 50)
  expect((await rawHttp(port, ['GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'])).statuses).toEqual([
    200,
  ])
  await closed
  clearInterval(dripping)
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  await app.close()
})

attack('slow callers', 'endless headers: 431', async () => {
  const { statuses, isClosed } = await site.raw(head(), `x-a: ${'a'.repeat(20_000)}\r\n\r\n`)
  expect([statuses, isClosed]).toEqual([[431], true])
})

attack('slow callers', 'many headers are not more than a few', async () => {
  const { statuses } = await site.raw(`${head()}${'a: b\r\n'.repeat(3000)}\r\n`)
  expect([400, 431]).toContain(statuses[0])
})

attack('slow callers', 'a crowd of idle connections of one address leaves the server its others', async () => {
  await using small = await openSite({ settings: { limits: { connections_per_address: 8 } } })
  const idle = Array.from({ length: 20 }, () => connect(small.port, '127.0.0.1'))
  for (const socket of idle) socket.on('error', () => {})
  await Promise.all(idle.map(socket => Promise.race([once(socket, 'connect'), once(socket, 'close')])))
  await expect.poll(() => idle.filter(({ readyState }) => readyState === 'open').length).toBeLessThanOrEqual(8)
  for (const socket of idle) socket.destroy()
  await expect
    .poll(async () => (await small.raw('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).statuses[0])
    .toBe(200)
})

// ——— Compressed ———

for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'x-gzip', 'identity, gzip', 'GZIP']) {
  attack('compressed', `${encoding} is not undone: 415`, async () => {
    const bomb = gzipSync(JSON.stringify({ ...announcementOf('a', 'x'), pad: 'x'.repeat(1 << 20) }))
    const answer = await site.call('POST', '/api/v2/upload/stage', {
      as: 'readappend',
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      body: bomb,
    })
    expect(answer.status).toBe(415)
    expectGeneric(site, answer)
  })
}

// ——— JSON ———

const good = JSON.stringify(announcementOf('json', 'x'))
const withField = (field: string) => `${good.slice(0, -1)},${field}}`

const bodies: readonly [what: string, body: string][] = [
  ['nothing', ''],
  ['blanks', '  '],
  ['not JSON', '{'],
  ['two values', `${good}${good}`],
  ['a comma too many', withField('"a":1,').replace(/,\}$/, ',}')],
  ['a comment', `/* */${good}`],
  ['single quotes', good.replaceAll('"', "'")],
  ['NaN', withField('"a":NaN')],
  ['Infinity', withField('"a":-Infinity')],
  ['a number that would be rounded', withField('"a":9007199254740993')],
  ['a number beyond all', withField('"a":1e400')],
  ['a size that would be rounded', good.replace('"upload_size":1', '"upload_size":9007199254740993')],
  ['a leading zero', withField('"a":01')],
  ['a field twice', withField('"upload_size":1')],
  ['a field twice, once by its escape', withField('"upload\\u005fsize":1')],
  ['__proto__', withField('"__proto__":{"level":"ADMIN"}')],
  ['__proto__ by its escape', withField('"\\u005f_proto__":{"level":"ADMIN"}')],
  ['__proto__ deep inside', withField('"a":[{"b":{"__proto__":1}}]')],
  ['a lone surrogate', withField('"a":"\\ud800"')],
  ['a lone surrogate in a field’s name', withField('"\\udfff":1')],
  ['a bare control character', withField('"a":"\u0001"')],
  ['too deep', withField(`"a":${'['.repeat(33)}${']'.repeat(33)}`)],
  ['very deep', `${'['.repeat(100_000)}`],
  ['too many fields', `{${Array.from({ length: 2000 }, (_, at) => `"f${at}":1`).join()}}`],
  ['too many values', `[${'1,'.repeat(400_000)}1]`],
  ['a list', `[${good}]`],
  ['a text', '"x"'],
  ['null', 'null'],
]

for (const [what, body] of bodies) {
  attack('json', `${what}: 422`, async () => {
    const start = performance.now()
    const { body: answer } = await refuse(site, 422, () => site.post('upload/stage', body, { as: 'readappend' }))
    expect(JSON.parse(answer.detail)).toMatchObject({ code: 'BadRequest' })
    expect(performance.now() - start).toBeLessThan(5000)
  })
}

attack('json', 'more than a MiB: 413, before it is read', async () => {
  await refuse(site, 413, () =>
    site.post('upload/stage', withField(`"a":"${'x'.repeat(1 << 20)}"`), { as: 'readappend' }),
  )
})

attack('json', 'a body whose length is told to be 10 GB: 413 at once', async () => {
  const { statuses } = await site.raw(
    `${head('/api/v2/upload/stage')}content-type: application/json\r\ncontent-length: 10000000000\r\n\r\n{`,
  )
  expect(statuses).toEqual([413])
})

attack('json', 'not UTF-8', async () => {
  const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
  const headers = { 'content-type': 'application/json' }
  await refuse(site, 422, () => site.call('POST', '/api/v2/upload/stage', { as: 'readappend', headers, body }))
})

attack('json', 'fields that nobody knows are dropped, and mean nothing', async () => {
  const { status, body } = await site.post(
    'users/password_update',
    {
      password: 'secret of readonly',
      new_password: 'secret of readonly',
      permission: 100,
      level: 'ADMIN',
      constructor: 1,
    },
    { as: 'readonly' },
  )
  expect([status, body]).toEqual([200, { success: true, username: 'readonly' }])
  expect((await site.post('users/get', { username: 'readonly' })).body.permission).toBe(1)
})

attack('json', 'the largest batch of the wire is taken, a larger one is not (quirk 32)', async () => {
  const uploads = Array.from({ length: 1025 }, (_, at) => announcementOf(`batch/${at}`, 'x'))
  const most = await site.post('upload/batch_stage', { uploader: 'a', uploads: uploads.slice(1) }, { as: 'readappend' })
  expect([most.status, most.body.outcomes.length]).toEqual([200, 1024])
  await refuse(site, 422, () => site.post('upload/batch_stage', { uploader: 'a', uploads }, { as: 'readappend' }))
})

attack(
  'cross-site pages',
  'a form of another site’s page reaches nothing, whatever the browser sends along',
  async () => {
    const pages: Record<string, string>[] = [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'content-type': 'application/json', 'sec-fetch-site': 'same-site', origin: 'https://evil.example' },
    ]
    for (const headers of pages) {
      const before = await site.holdings()
      const answer = await site.call('POST', '/api/v2/users/create', { headers, body: smuggled })
      expect([415, 422]).toContain(answer.status)
      expect(answer.headers.get('access-control-allow-origin')).toBe(null)
      expect(await site.holdings()).toBe(before)
    }
  },
)

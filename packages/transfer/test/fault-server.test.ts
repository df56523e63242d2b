import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type Behaviour,
  type FaultServer,
  faults,
  type Script,
  startFaultServer,
  startRecordingOrigin,
} from './fault-server.ts'

interface Received {
  readonly status: number
  readonly head: string
  readonly body: Buffer
  /** `open`: nothing came for 250 ms and the connection stayed. */
  readonly ended: 'fin' | 'rst' | 'open'
  header(name: string): string | undefined
}

/** Sends text over a raw socket and takes what comes until the connection ends or goes quiet. */
function exchange(server: FaultServer, text: string, { quietMs = 250 } = {}): Promise<Received> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    const socket: Socket = server.certificate
      ? connectTls({ host: '127.0.0.1', port: server.port, ca: server.certificate })
      : connect(server.port, '127.0.0.1')
    const finish = (ended: Received['ended']) => {
      clearTimeout(quiet)
      socket.destroy()
      resolve(parse(Buffer.concat(chunks), ended))
    }
    let quiet = setTimeout(finish, quietMs * 4, 'open')
    socket.on('data', chunk => {
      chunks.push(chunk)
      clearTimeout(quiet)
      quiet = setTimeout(finish, quietMs, 'open')
    })
    socket.on('end', () => finish('fin'))
    socket.on('error', () => finish('rst'))
    socket.write(text)
  })
}

function parse(bytes: Buffer, ended: Received['ended']): Received {
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.toString('latin1', 0, end < 0 ? bytes.length : end)
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1]),
    head,
    body: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4),
    ended,
    header: name => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1],
  }
}

function get(
  server: FaultServer,
  name: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Received> {
  const lines = Object.entries({ Host: 'test', Connection: 'close', ...headers }).map(
    ([key, value]) => `${key}: ${value}`,
  )
  return exchange(server, `${method} ${name} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
}

/** D of retrieval 18, straight from its definition. */
function dataAt(offset: number): number {
  return Number((131n * BigInt(offset) + 17n * (BigInt(offset) >> 8n) + 7n * (BigInt(offset) >> 16n)) & 255n)
}

function data(start: number, end: number, version = 0): Buffer {
  return Buffer.from(Array.from({ length: end - start }, (_, i) => dataAt(start + i) ^ version))
}

/** A server with `/x` of 1000 bytes that behaves so. */
async function serving(script?: Script | Behaviour, size = 1000): Promise<FaultServer> {
  const server = await startFaultServer()
  onTestFinished(() => server.close())
  server.resource('/x', { size, script })
  return server
}

describe('a well-behaved resource', () => {
  test('is sent whole with length, entity tag and date', async () => {
    const server = await serving()
    const answer = await get(server, '/x')
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual(data(0, 1000))
    expect(answer.header('Content-Length')).toBe('1000')
    expect(answer.header('ETag')).toBe('"3e8-0"')
    expect(answer.header('Last-Modified')).toBe('Fri, 02 Jan 2026 03:04:05 GMT')
    expect(answer.header('Accept-Ranges')).toBe('bytes')
  })

  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=990-2000', 990, 1000],
    ['bytes=500-', 500, 1000],
    ['bytes=-10', 990, 1000],
  ])('answers %s with those bytes', async (range, start, end) => {
    const server = await serving()
    const answer = await get(server, '/x', { Range: range })
    expect(answer.status).toBe(206)
    expect(answer.header('Content-Range')).toBe(`bytes ${start}-${end - 1}/1000`)
    expect(answer.body).toEqual(data(start, end))
    expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/x', attempt: 1, sent: end - start, status: 206 })
  })

  test('answers ranges beyond 2^32 with the bytes that belong there', async () => {
    const size = 5 * 2 ** 32 + 12_345
    const server = await serving(undefined, size)
    for (const start of [2 ** 31 - 3, 2 ** 32 - 5, 3 * 2 ** 32 + 65_530, size - 20]) {
      const answer = await get(server, '/x', { Range: `bytes=${start}-${start + 19}` })
      expect(answer.body).toEqual(data(start, start + 20))
    }
  })

  test.each(['bytes=5-4', 'bytes=x', 'bytes=0-1,5-6', 'lines=0-1'])('answers %s with everything', async range => {
    const server = await serving()
    expect((await get(server, '/x', { Range: range })).status).toBe(200)
  })

  test('answers a range beyond its end, or of an empty resource, with 416 and its size', async () => {
    const server = await serving()
    server.resource('/empty', { size: 0 })
    const beyond = await get(server, '/x', { Range: 'bytes=1000-' })
    const empty = await get(server, '/empty', { Range: 'bytes=0-0' })
    expect([beyond.status, beyond.header('Content-Range')]).toEqual([416, 'bytes */1000'])
    expect([empty.status, empty.header('Content-Range')]).toEqual([416, 'bytes */0'])
    expect((await get(server, '/empty')).header('Content-Length')).toBe('0')
  })

  test('honours If-Match, If-Range and If-Unmodified-Since', async () => {
    const server = await serving()
    const status = async (headers: Record<string, string>) =>
      (await get(server, '/x', { Range: 'bytes=1-2', ...headers })).status
    expect(await status({ 'If-Match': '"3e8-0"' })).toBe(206)
    expect(await status({ 'If-Match': '"other"' })).toBe(412)
    expect(await status({ 'If-Range': '"3e8-0"' })).toBe(206)
    expect(await status({ 'If-Range': '"other"' })).toBe(200)
    expect(await status({ 'If-Range': 'Fri, 02 Jan 2026 03:04:05 GMT' })).toBe(206)
    expect(await status({ 'If-Range': 'Fri, 02 Jan 2026 03:04:06 GMT' })).toBe(200)
    expect(await status({ 'If-Unmodified-Since': 'Fri, 02 Jan 2026 03:04:04 GMT' })).toBe(412)
  })

  test('answers HEAD without a body, and other names with 404', async () => {
    const server = await serving()
    const head = await get(server, '/x', {}, 'HEAD')
    expect([head.status, head.header('Content-Length'), head.body.length]).toEqual([200, '1000', 0])
    expect((await get(server, '/y')).status).toBe(404)
  })

  test('keeps connections and answers requests that came together in their order', async () => {
    const server = await serving()
    const one = 'GET /x HTTP/1.1\r\nHost: t\r\nRange: bytes=0-9\r\n\r\n'
    const two = 'GET /x HTTP/1.1\r\nHost: t\r\nConnection: close\r\nRange: bytes=10-19\r\n\r\n'
    const answer = await exchange(server, one + two)
    expect(answer.body.subarray(0, 10)).toEqual(data(0, 10))
    expect(answer.body.subarray(-10)).toEqual(data(10, 20))
    expect(server.requests.map(request => [request.connection, request.indexOnConnection])).toEqual([
      [1, 1],
      [1, 2],
    ])
    expect(server.connections).toMatchObject([{ number: 1, requests: 2, sent: 20 }])
  })

  test('serves given bytes, and another content after change()', async () => {
    const server = await startFaultServer()
    onTestFinished(() => server.close())
    const resource = server.resource('/a b', { bytes: 'hello' })
    const path = new URL(resource.url).pathname
    expect((await get(server, path)).body.toString()).toBe('hello')
    resource.change({ size: 20 })
    const before = await get(server, path)
    resource.change({ version: 3 })
    const after = await get(server, path)
    expect(before.body).toEqual(data(0, 20))
    expect(after.body).toEqual(data(0, 20, 3))
    expect(after.header('ETag')).not.toBe(before.header('ETag'))
    expect(resource.requests.length).toBe(3)
    expect(resource.sent).toBe(45)
  })
})

describe('requests', () => {
  test.each([
    'get /x HTTP/1.1\r\nHost: t\r\n\r\n',
    'GET /x HTTP/1.1\r\n\r\n',
    'GET /x  HTTP/1.1\r\nHost: t\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost : t\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: t\r\n folded\r\n\r\n',
  ])('that are malformed are answered 400 and noted: %j', async text => {
    const server = await serving()
    expect((await exchange(server, text)).status).toBe(400)
    expect(server.malformed.length).toBe(1)
    expect(server.requests.length).toBe(0)
  })

  test('are logged with raw headers, range and body', async () => {
    const server = await serving()
    await exchange(
      server,
      'POST /x?a=1 HTTP/1.1\r\nHost: t\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
    )
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      target: '/x?a=1',
      path: '/x',
      query: 'a=1',
      status: 405,
    })
    expect(server.requests[0]!.headers['x-a']).toBe('1, 2')
    expect(server.requests[0]!.rawHeaders[1]).toEqual(['X-A', '1'])
    expect(server.requests[0]!.body.toString()).toBe('abc')
  })

  test('that a script throws on make close() throw', async () => {
    const server = await startFaultServer()
    server.resource('/x', {
      script: () => {
        throw new Error('bug in the test')
      },
    })
    expect((await get(server, '/x')).ended).toBe('rst')
    await expect(server.close()).rejects.toThrow('bug in the test')
  })
})

const asked = { Range: 'bytes=100-199' }

describe('faults about ranges', () => {
  test('ignoresRange: 200 always, or only when a > 0', async () => {
    const always = await serving(faults.ignoresRange())
    const tail = await serving(faults.ignoresRange('tail'))
    expect((await get(always, '/x', { Range: 'bytes=0-9' })).status).toBe(200)
    expect((await get(tail, '/x', { Range: 'bytes=0-9' })).status).toBe(206)
    expect((await get(tail, '/x', asked)).status).toBe(200)
  })

  test.each([
    ['shiftedRange', faults.shiftedRange(), 'bytes 101-200/1000', 101, 201],
    ['widerRange', faults.widerRange(5), 'bytes 100-204/1000', 100, 205],
    ['shorterRange', faults.shorterRange(30), 'bytes 100-129/1000', 100, 130],
    ['wrongTotal', faults.wrongTotal(1001), 'bytes 100-199/1001', 100, 200],
    ['wrongTotal of *', faults.wrongTotal('*'), 'bytes 100-199/*', 100, 200],
    ['no Content-Range', { contentRange: false } as const, undefined, 100, 200],
  ])('%s', async (_, script, contentRange, start, end) => {
    const answer = await get(await serving(script), '/x', asked)
    expect(answer.status).toBe(206)
    expect(answer.header('Content-Range')).toBe(contentRange)
    expect(answer.body).toEqual(data(start, end))
  })

  test('unsatisfiable: the forms of 416', async () => {
    const forms = await serving(faults.sequence(faults.unsatisfiable(77), faults.unsatisfiable(undefined)))
    expect((await get(forms, '/x', asked)).header('Content-Range')).toBe('bytes */77')
    expect((await get(forms, '/x', asked)).header('Content-Range')).toBeUndefined()
    expect((await get(forms, '/x', asked)).status).toBe(206)
  })

  test('refusesIfRange: 200 with the same entity tag', async () => {
    const answer = await get(await serving(faults.refusesIfRange()), '/x', { ...asked, 'If-Range': '"3e8-0"' })
    expect([answer.status, answer.header('ETag')]).toEqual([200, '"3e8-0"'])
  })
})

describe('faults about the body', () => {
  test('truncates: so many bytes arrive, then FIN, RST, or silence', async () => {
    for (const ending of ['fin', 'rst', 'cut'] as const) {
      const answer = await get(await serving(faults.truncates(123, ending)), '/x')
      expect([answer.body.length, answer.header('Content-Length'), answer.ended]).toEqual([
        123,
        '1000',
        ending === 'rst' ? 'rst' : 'fin',
      ])
    }
    const silent = await get(await serving(faults.silentAfter(123)), '/x')
    expect([silent.body.length, silent.ended]).toEqual([123, 'open'])
  })

  test('extraBytes: more than Content-Length says', async () => {
    const answer = await get(await serving({ extraBytes: 1 }), '/x')
    expect([answer.body.length, answer.header('Content-Length')]).toEqual([1001, '1000'])
  })

  test('contentLength lies', async () => {
    const answer = await get(await serving({ contentLength: 900 }), '/x')
    expect([answer.body.length, answer.header('Content-Length')]).toEqual([1000, '900'])
  })

  test('chunked with and without its end', async () => {
    const whole = await get(await serving({ ...faults.chunked(), chunkBytes: 400 }), '/x', asked)
    const cut = await get(await serving(faults.chunked({ isTerminated: false })), '/x')
    expect(whole.header('Transfer-Encoding')).toBe('chunked')
    expect(whole.header('Content-Length')).toBeUndefined()
    expect(whole.body.subarray(0, 5).toString()).toBe('190\r\n')
    expect(whole.body.subarray(5, 405)).toEqual(data(0, 400))
    expect(whole.body.toString('latin1').endsWith('\r\n0\r\n\r\n')).toBe(true)
    expect(cut.body.toString('latin1').endsWith('0\r\n\r\n')).toBe(false)
    expect(cut.ended).toBe('fin')
  })

  test('closeDelimited: HTTP/1.0 without a length', async () => {
    const server = await serving(faults.closeDelimited())
    const answer = await exchange(server, 'GET /x HTTP/1.1\r\nHost: t\r\n\r\n')
    expect(answer.head.startsWith('HTTP/1.0 200 ')).toBe(true)
    expect([answer.header('Content-Length'), answer.body.length, answer.ended]).toEqual([undefined, 1000, 'fin'])
  })

  test('gzip although identity was asked', async () => {
    const answer = await get(await serving({ gzip: true }), '/x', { 'Accept-Encoding': 'identity' })
    expect(answer.header('Content-Encoding')).toBe('gzip')
    expect(gunzipSync(answer.body)).toEqual(data(0, 1000))
  })

  test('flip: one bit of one byte, whatever range it is in', async () => {
    const server = await serving({ flip: [150] })
    const expected = data(100, 200)
    expected[50]! ^= 1
    expect((await get(server, '/x', asked)).body).toEqual(expected)
    expect((await get(server, '/x', { Range: 'bytes=200-299' })).body).toEqual(data(200, 300))
  })

  test('htmlPage instead of data', async () => {
    const answer = await get(await serving(faults.htmlPage()), '/x', asked)
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(answer.body.toString()).toContain('<!doctype html>')
    expect(answer.header('ETag')).toBeUndefined()
  })
})

describe('faults about validators', () => {
  test('content changes after n requests, with the entity tag or silently within the same second', async () => {
    const told = await serving(faults.after(1, { version: 1 }))
    const untold = await serving(faults.compose({ etag: false }, faults.after(1, { version: 1 })))
    for (const server of [told, untold]) {
      expect((await get(server, '/x', asked)).body).toEqual(data(100, 200))
      expect((await get(server, '/x', asked)).body).toEqual(data(100, 200, 1))
    }
    expect((await get(told, '/x')).header('ETag')).toBe('"3e8-1"')
    expect((await get(untold, '/x')).header('ETag')).toBeUndefined()
    expect((await get(untold, '/x')).header('Last-Modified')).toBe('Fri, 02 Jan 2026 03:04:05 GMT')
  })

  test('etagPerRequest', async () => {
    const server = await serving(faults.etagPerRequest())
    const tags = [await get(server, '/x', asked), await get(server, '/x', { ...asked, 'If-Match': '"node-1"' })]
    expect(tags.map(answer => answer.header('ETag'))).toEqual(['"node-1"', '"node-2"'])
    expect(tags[1]!.status).toBe(206)
  })
})

describe('faults about status and head', () => {
  test('throttled: Retry-After in seconds, as a date, absurd; then well', async () => {
    const date = new Date(Date.UTC(2030, 0, 1))
    for (const [value, spelt] of [
      [2, '2'],
      [date, 'Tue, 01 Jan 2030 00:00:00 GMT'],
      ['99999999999', '99999999999'],
    ] as const) {
      const server = await serving(faults.throttled(value, { status: 503 }))
      const first = await get(server, '/x')
      expect([first.status, first.header('Retry-After')]).toEqual([503, spelt])
      expect((await get(server, '/x')).status).toBe(200)
    }
  })

  test('failsAtRandom fails about its fraction, and the same requests for the same seed in any order', async () => {
    const starts = Array.from({ length: 100 }, (_, i) => i)
    const failing = async (seed: number, order: number[]) => {
      const server = await serving(faults.failsAtRandom(0.3, seed))
      const failed: number[] = []
      for (const start of order) {
        const answer = await get(server, '/x', { Range: `bytes=${start}-${start}` })
        if (answer.status === 500) failed.push(start)
      }
      return failed.sort((a, b) => a - b)
    }
    const failed = await failing(42, starts)
    expect(failed.length).toBeGreaterThan(15)
    expect(failed.length).toBeLessThan(45)
    expect(await failing(42, starts.toReversed())).toEqual(failed)
    expect(await failing(43, starts)).not.toEqual(failed)
  })

  test('refusesHead, needsHeader, busyAbove', async () => {
    const server = await serving(faults.refusesHead(405))
    expect((await get(server, '/x', {}, 'HEAD')).status).toBe(405)
    expect((await get(server, '/x')).status).toBe(200)
    const guarded = await serving(faults.needsHeader('Authorization', 'Bearer t'))
    expect((await get(guarded, '/x')).status).toBe(401)
    expect((await get(guarded, '/x', { Authorization: 'Bearer t' })).status).toBe(200)
    const busy = await serving(faults.compose({ delayMs: 50 }, faults.busyAbove(2)))
    const answers = await Promise.all([1, 2, 3].map(() => get(busy, '/x')))
    expect(answers.map(answer => answer.status).sort()).toEqual([200, 200, 503])
    expect(busy.peakRequests).toBe(3)
  })

  test('redirects with expiring targets', async () => {
    const server = await serving(faults.expiresAfter(1))
    server.resource('/object', { script: faults.redirects(n => `/x?signature=${n}`) })
    const first = await get(server, '/object')
    expect([first.status, first.header('Location')]).toEqual([302, '/x?signature=1'])
    expect((await get(server, '/x?signature=1')).status).toBe(200)
    const expired = await get(server, '/x?signature=1')
    expect([expired.status, expired.body.toString()]).toEqual([403, expect.stringContaining('<Error>')])
    expect((await get(server, '/object')).header('Location')).toBe('/x?signature=2')
    expect((await get(server, '/x?signature=2')).status).toBe(200)
  })

  test('headers may say anything, several times, or be missing', async () => {
    const server = await serving({
      headers: { 'Content-Disposition': 'attachment; filename="../../x"', 'X-Two': ['1', '2'], Date: undefined },
    })
    const { head } = await get(server, '/x')
    expect(head).toContain('\r\nContent-Disposition: attachment; filename="../../x"')
    expect(head).toContain('\r\nX-Two: 1\r\nX-Two: 2')
    expect(head).not.toContain('\r\nDate:')
  })

  test('raw, prefix and statusLine', async () => {
    const garbage = await get(await serving({ raw: 'SSH-2.0-OpenSSH\r\n', ending: 'rst' }), '/x')
    expect([garbage.head, garbage.ended]).toEqual(['SSH-2.0-OpenSSH\r\n', 'rst'])
    const odd = await get(await serving({ statusLine: 'HTTP/1.1 2OO OK', prefix: 'HTTP/1.1 103 Early\r\n\r\n' }), '/x')
    expect([odd.status, odd.body.toString('latin1', 0, 15)]).toEqual([103, 'HTTP/1.1 2OO OK'])
  })

  test('endlessHeaders go on until the client leaves, and the server closes at once', async () => {
    const server = await serving({ endlessHeaders: true })
    const bytes = await new Promise<number>(resolve => {
      let count = 0
      const socket = connect(server.port, '127.0.0.1')
      socket.write('GET /x HTTP/1.1\r\nHost: t\r\n\r\n')
      socket.on('data', chunk => {
        count += chunk.length
        if (count > 1_000_000) {
          socket.destroy()
          resolve(count)
        }
      })
    })
    expect(bytes).toBeGreaterThan(1_000_000)
  })

  test('the head may drip', async () => {
    const server = await serving({ headPieceBytes: 50 })
    const answer = await get(server, '/x')
    expect([answer.status, answer.body.length]).toEqual([200, 1000])
  })
})

describe('faults about time and connections', () => {
  test('delayMs before the head; silence before the head', async () => {
    const server = await serving(faults.sequence({ delayMs: 100 }, faults.silent()))
    const started = performance.now()
    expect((await get(server, '/x')).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThan(95)
    expect(await get(server, '/x')).toMatchObject({ ended: 'open', head: '' })
  })

  test('bytesPerSecond holds for one answer, one connection, or all together', async () => {
    const elapsed = async (server: FaultServer, times: number) => {
      const started = performance.now()
      await Promise.all(Array.from({ length: times }, () => get(server, '/x')))
      return performance.now() - started
    }
    const slow = await serving({ bytesPerSecond: 10_000 }, 2000)
    expect(await elapsed(slow, 2)).toBeGreaterThan(190)
    for (const [options, times, atLeast, atMost] of [
      [{ bytesPerSecondPerConnection: 10_000 }, 4, 190, 780],
      [{ bytesPerSecond: 10_000 }, 4, 790, 4000],
    ] as const) {
      await using server = await startFaultServer(options)
      server.resource('/x', { size: 2000 })
      const took = await elapsed(server, times)
      expect(took).toBeGreaterThan(atLeast)
      expect(took).toBeLessThan(atMost)
    }
  })

  test('one connection may be slower than the others', async () => {
    const server = await serving(faults.onConnection(1, faults.silent()))
    expect((await get(server, '/x')).ended).toBe('open')
    expect((await get(server, '/x')).status).toBe(200)
  })

  test('idleTimeoutMs and closeAfter end a kept connection without a word', async () => {
    await using idle = await startFaultServer({ idleTimeoutMs: 50 })
    idle.resource('/x', { size: 10 })
    const keep = 'GET /x HTTP/1.1\r\nHost: t\r\n\r\n'
    expect(await exchange(idle, keep)).toMatchObject({ status: 200, ended: 'fin' })
    const server = await serving({ closeAfter: 'rst' })
    const answer = await exchange(server, keep)
    expect(answer).toMatchObject({ status: 200, ended: 'rst' })
    expect([answer.body.length, answer.header('Connection')]).toEqual([1000, undefined])
    expect(await exchange(await serving(), keep)).toMatchObject({ status: 200, ended: 'open' })
  })

  test('maxConnections resets what is too many', async () => {
    await using server = await startFaultServer({ maxConnections: 1, script: { delayMs: 100 } })
    server.resource('/x', { size: 10 })
    const answers = await Promise.all([get(server, '/x'), get(server, '/x')])
    expect(answers.map(answer => answer.ended).sort()).toEqual(['fin', 'rst'])
  })

  test('stopListening refuses new connections and listenAgain takes them on the same port', async () => {
    const server = await serving()
    await server.stopListening()
    expect((await get(server, '/x')).ended).toBe('rst')
    await server.listenAgain()
    expect((await get(server, '/x')).status).toBe(200)
  })
})

describe('other servers', () => {
  test('tls: the certificate is valid for 127.0.0.1, and answers may be cut without a goodbye', async () => {
    await using server = await startFaultServer({ tls: true })
    server.resource('/x', { size: 100_000 })
    server.resource('/cut', { size: 1000, script: faults.truncates(10, 'cut') })
    server.resource('/reset', { size: 1000, script: faults.truncates(10, 'rst') })
    expect(server.url('/x')).toMatch(/^https:/)
    const answer = await get(server, '/x', { Range: 'bytes=70000-70009' })
    expect(answer.body).toEqual(data(70_000, 70_010))
    expect((await get(server, '/cut')).body.length).toBe(10)
    expect((await get(server, '/reset')).ended).toBe('rst')
  })

  test('tls: an expired certificate is refused by clients', async () => {
    await using server = await startFaultServer({ tls: { expired: true } })
    server.resource('/x', { size: 10 })
    expect(await get(server, '/x')).toMatchObject({ head: '', ended: 'rst' })
  })

  test('startRecordingOrigin has every name and tells which headers came', async () => {
    await using origin = await startRecordingOrigin({ size: 10 })
    expect((await get(origin, '/any/thing', { Authorization: 'secret' })).body).toEqual(data(0, 10))
    expect(origin.headerValues('authorization')).toEqual(['secret'])
    expect(origin.headerValues('cookie')).toEqual([])
  })

  test('close() ends what is silent or slow at once', async () => {
    const server = await startFaultServer()
    server.resource('/x', { size: 10, script: faults.silent() })
    const waiting = get(server, '/x')
    await expect.poll(() => server.requests.length).toBe(1)
    await server.close()
    expect((await waiting).ended).toBe('rst')
  })
})

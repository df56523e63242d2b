/** What a proxy does to uploads, seen from outside: by proxies that do it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadSettings, Secret } from '../src/config.ts'
import { inspectPublicUrl } from '../src/deployment/public-url.ts'
import { silentLog } from '../src/log.ts'
import { prepare } from '../src/main.ts'
import { type Librarian, openLibrarian } from '../src/open-librarian.ts'
import { makeDataDirectory } from '../src/setup/data-directory.ts'

let folder!: string
let librarian!: Librarian
let port!: number
let proxy: Server | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-public-'))
  const { settingsPath: path } = makeDataDirectory(folder, { random: randomBytes, port: 0 })
  const settings = loadSettings({ env: {}, path, overrides: { trusted_proxies: ['127.0.0.1'] } })
  await prepare({ settings, log: silentLog, admin: { username: 'admin', password: new Secret('for tests only') } })
  librarian = await openLibrarian({ settings, log: silentLog, graceMs: 500 })
  port = (await librarian.start())!.port
}, 60_000)
afterEach(() => {
  proxy?.closeAllConnections()
  proxy?.close()
  proxy = undefined
})
afterAll(async () => {
  await librarian.stop()
  await rm(folder, { recursive: true, force: true })
})

type Handle = (from: IncomingMessage, to: ServerResponse) => void

async function startProxy(handle: Handle): Promise<string> {
  proxy = createServer(handle)
  proxy.listen(0, '127.0.0.1')
  await new Promise(resolve => proxy!.once('listening', resolve))
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

/** As a good one does. */
function handOn(from: IncomingMessage, to: ServerResponse, headers: object = from.headers, body?: Buffer): void {
  const call = request({ port, method: from.method, path: from.url, headers: { ...headers } })
  call.on('response', answer => {
    to.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(to)
  })
  call.on('error', () => to.destroy())
  to.on('close', () => call.destroy())
  if (body) call.end(body)
  else from.pipe(call)
}

async function told(handle: Handle): Promise<string[]> {
  const url = await startProxy(handle)
  const found = await Array.fromAsync(inspectPublicUrl(url, { signal: AbortSignal.timeout(60_000), timeoutMs: 3000 }))
  return found.filter(({ level }) => level !== 'ok').map(({ level, found }) => `${level} ${found}`)
}

test('of one that hands everything on, nothing is told', async () => {
  expect(await told((from, to) => handOn(from, to))).toEqual([])
})

test('one that limits bodies', async () => {
  const limit = (from: IncomingMessage, to: ServerResponse) => {
    if (Number(from.headers['content-length'] ?? 0) <= 1024 * 1024) return handOn(from, to)
    to.writeHead(413, { connection: 'close' }).end('too large')
  }
  expect(await told(limit)).toEqual(['fail it refuses large bodies (413)'])
})

test('one that gathers bodies', async () => {
  const gather = (from: IncomingMessage, to: ServerResponse) => {
    const pieces: Buffer[] = []
    from.on('data', piece => pieces.push(piece))
    from.on('end', () => handOn(from, to, from.headers, Buffer.concat(pieces)))
  }
  expect(await told(gather)).toEqual(['fail it gathers the bodies of uploads before it hands them on'])
})

test('one that does not hand on by which name it was called', async () => {
  expect(await told((from, to) => handOn(from, to, { ...from.headers, host: 'inside:8080' }))).toEqual([
    expect.stringMatching(/^warn the librarian believes that it was called as http:\/\/inside:8080/),
  ])
})

test('one that compresses', async () => {
  const compress = (from: IncomingMessage, to: ServerResponse) => {
    if (from.url !== '/health') return handOn(from, to)
    to.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify({ status: 'ok' })))
  }
  expect(await told(compress)).toEqual(['warn it compresses answers (gzip)'])
})

test('one behind which nobody is, and none at all', async () => {
  const alone = (_: IncomingMessage, to: ServerResponse) => void to.writeHead(502).end('<html>Bad Gateway</html>')
  expect(await told(alone)).toEqual([expect.stringMatching(/^fail .* answers 502, and not as a librarian$/)])
  const found = inspectPublicUrl('http://127.0.0.1:9', { signal: AbortSignal.timeout(60_000), timeoutMs: 3000 })
  expect((await Array.fromAsync(found)).map(({ level }) => level)).toEqual(['fail'])
})

/** The dashboard's pages as browsers get them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pageRoutes } from '../src/routes/pages.ts'
import { createDashboardPages } from '../src/setup/dashboard-pages.ts'
import { type RawApp, startRawApp } from './raw-app.ts'

const script = 'export const answer = 42;\n'.repeat(100)
const index = '<!doctype html><title>Here</title>'

let directory: string
let app: RawApp
let isBuilt: boolean

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pages-'))
  mkdirSync(join(directory, 'dist/assets'), { recursive: true })
  mkdirSync(join(directory, 'dist/docs'))
  writeFileSync(join(directory, 'dist/index.html'), index)
  writeFileSync(join(directory, 'dist/assets/app-1a2b.js'), script)
  writeFileSync(join(directory, 'dist/docs/index.html'), 'manual')
  writeFileSync(join(directory, 'secret'), 'secret')
  symlinkSync(join(directory, 'secret'), join(directory, 'dist/link.txt'))
  isBuilt = true
  const pages = createDashboardPages(() => (isBuilt ? join(directory, 'dist') : undefined))
  app = await startRawApp({ rawRoutes: pageRoutes(pages) })
})
afterEach(async () => {
  await app[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

/** As it is: `fetch` would tidy the path. */
function get(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: app.port, path, method, headers }, async answer => {
      const body = Buffer.concat(await Array.fromAsync(answer as AsyncIterable<Buffer>))
      resolve({ status: answer.statusCode!, headers: answer.headers, body })
    })
    sent.on('error', reject)
    sent.end()
  })
}

test.each([
  '/dashboard/',
  '/dashboard/files/a%20b',
  '/dashboard/index.html',
  '/dashboard/x/y/?z=1',
  '/dashboard/link.txt',
])('the app is at %s, with headers that let nothing else in', async path => {
  const { status, headers, body } = await get(path)
  expect([status, body.toString()]).toEqual([200, index])
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
      "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'",
  })
})

test('assets last for ever, come small, and are not sent twice', async () => {
  const path = '/dashboard/assets/app-1a2b.js'
  const plain = await get(path)
  expect([plain.body.toString(), plain.headers['cache-control'], plain.headers['content-type']]).toEqual([
    script,
    'public, max-age=31536000, immutable',
    'text/javascript; charset=utf-8',
  ])
  const small = await get(path, { headers: { 'accept-encoding': 'br, gzip' } })
  expect(small.headers['content-encoding']).toBe('gzip')
  expect(small.body.length).toBeLessThan(script.length / 10)
  expect(gunzipSync(small.body).toString()).toBe(script)
  const again = await get(path, { headers: { 'if-none-match': String(plain.headers.etag) } })
  expect([again.status, again.body.length]).toEqual([304, 0])
  const head = await get(path, { method: 'HEAD' })
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, `${script.length}`, 0])
  expect((await get('/dashboard/assets/old.js')).status).toBe(404)
})

test('directories have their own page; nothing outside is served', async () => {
  for (const path of ['/dashboard/docs', '/dashboard/docs/', '/dashboard/docs/index.html']) {
    expect((await get(path)).body.toString()).toBe('manual')
  }
  for (const path of [
    '/dashboard/../secret',
    '/dashboard/%2e%2e/secret',
    '/dashboard/..%2fsecret',
    '/dashboard//secret',
  ]) {
    expect((await get(path)).body.toString()).not.toContain('secret')
  }
})

test('browsers are led there from the root; programs find nothing, as ever', async () => {
  const led = await get('/', { headers: { accept: 'text/html,*/*' } })
  expect([led.status, led.headers.location]).toEqual([302, '/dashboard/'])
  expect((await get('/dashboard')).headers.location).toBe('/dashboard/')
  const program = await get('/', { headers: { accept: '*/*' } })
  expect([program.status, JSON.parse(program.body.toString())]).toEqual([404, { detail: 'Not Found' }])
})

test('pages that are not built say how they are, and are there as soon as they were', async () => {
  const pages = createDashboardPages(() => (isBuilt ? join(directory, 'dist') : undefined))
  isBuilt = false
  await using bare = await startRawApp({ rawRoutes: pageRoutes(pages) })
  const without = await fetch(`${bare.origin}/dashboard/`)
  expect([without.status, await without.text()]).toEqual([503, expect.stringContaining('npm run build')])
  isBuilt = true
  const built = await fetch(`${bare.origin}/dashboard/`)
  expect([built.status, await built.text()]).toEqual([200, index])
})

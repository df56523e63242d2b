/** Fault matrix, retrieval 19: redirects, credentials, and URLs that expire. */
import { expect, test } from 'vitest'
import { download, type Hooks, readAll } from '../../src/index.ts'
import { faults, startFaultServer, startRecordingOrigin } from '../fault-server.ts'
import { dataOf, expectFile, expectSame, failing, MIB, ODD, setUp } from './setting.ts'

const partSize = MIB
const SECRET = 'x7secretx7'

test('a redirect to another origin → no Authorization, Cookie or secret header is seen there', async () => {
  const setting = await setUp()
  await using far = await startRecordingOrigin({ hostname: 'localhost', size: ODD })
  await using near = await startFaultServer()
  const { url } = near.resource('/data', { script: faults.redirects(far.url('/far/data')) })
  const credentials = async () => ({ 'x-ticket': `${SECRET}-ticket` })
  const bytes = await readAll(url.replace('http://', `http://user:${SECRET}-password@`), {
    engine: setting.engine,
    partSize,
    headers: {
      cookie: `id=${SECRET}-cookie`,
      'x-api-key': `${SECRET}-key`,
      'x-auth-token': `${SECRET}-token`,
      'proxy-authorization': `Basic ${SECRET}`,
      'x-mine': `${SECRET}-mine`,
      'x-plain': 'may travel',
    },
    secretHeaders: ['X-Mine'],
    hooks: { credentials },
  })
  expectSame(bytes, dataOf(ODD))
  expect(far.requests.length).toBeGreaterThan(1)
  const seen = JSON.stringify(far.requests.map(({ headers, target }) => ({ headers, target })))
  expect(seen).not.toContain(SECRET)
  expect(far.headerValues('authorization')).toEqual([])
  expect(far.headerValues('referer')).toEqual([])
  expect(far.headerValues('x-plain')).toContain('may travel')
  const own = near.requests[0]?.headers
  expect(own?.authorization).toMatch(/^Basic /)
  expect(own?.['x-api-key']).toBe(`${SECRET}-key`)
  expect(own?.['x-ticket']).toBe(`${SECRET}-ticket`)
})

test('a redirect there and back → secrets that were dropped do not come back', async () => {
  const setting = await setUp()
  await using far = await startRecordingOrigin({ hostname: 'localhost' })
  await using near = await startFaultServer()
  const back = near.resource('/back', { size: ODD })
  far.resource('/there', { script: faults.redirects(back.url) })
  const { url } = near.resource('/data', { script: faults.redirects(far.url('/there')) })
  const headers = { authorization: `Bearer ${SECRET}` }
  expectSame(await readAll(url, { engine: setting.engine, partSize, headers }), dataOf(ODD))
  expect(back.requests.every(request => request.headers.authorization === undefined)).toBe(true)
})

test('Range, If-Range and Accept-Encoding go along with every redirect', async () => {
  const setting = await setUp()
  await using far = await startRecordingOrigin({ hostname: 'localhost', size: ODD })
  await using near = await startFaultServer()
  const { url } = near.resource('/data', { script: faults.redirects(far.url('/far')) })
  await readAll(url, { engine: setting.engine, partSize })
  expect(far.requests.every(({ headers }) => headers.range?.startsWith('bytes='))).toBe(true)
  expect(far.requests.every(({ headers }) => headers['accept-encoding'] === 'identity')).toBe(true)
})

test('where a redirect led is used again for the other parts', async () => {
  const setting = await setUp()
  await using far = await startRecordingOrigin({ hostname: 'localhost', size: ODD })
  await using near = await startFaultServer()
  const { url } = near.resource('/data', { script: faults.redirects(far.url('/far')) })
  await readAll(url, { engine: setting.engine, partSize })
  expect(near.requests).toHaveLength(1)
})

test.each([301, 302, 303, 307, 308])('a redirect by %i is followed', async status => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/old', { script: faults.redirects('new?x=1', status) })
  server.resource('/new', { size: ODD })
  expectSame(await readAll(url, { engine: setting.engine, partSize }), dataOf(ODD))
})

test('a redirect loop → an error, after a bounded number of requests', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/a', { script: faults.redirects('/b') })
  server.resource('/b', { script: faults.redirects('/a') })
  expect((await failing('download', url, setting)).code).toBe('Redirect')
  expect(server.requests.length).toBeLessThanOrEqual(21)
})

test('redirects without end, never to the same place → an error after 20', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const script = faults.redirects(count => `/hop?count=${count}`)
  const { url } = server.resource('/hop', { script })
  expect((await failing('download', url, setting)).code).toBe('Redirect')
  expect(server.requests).toHaveLength(21)
})

test('https → http → an error, unless it is allowed', async () => {
  await using plain = await startFaultServer()
  await using secure = await startFaultServer({ tls: true })
  const setting = await setUp({ ca: secure.certificate })
  const target = plain.resource('/data', { size: ODD })
  const { url } = secure.resource('/data', { script: faults.redirects(target.url) })
  expect((await failing('download', url, setting)).code).toBe('Redirect')
  expect(plain.requests).toHaveLength(0)
  await download(url, setting.path('data'), { engine: setting.engine, allowDowngrade: true })
  await expectFile(setting.path('data'), ODD)
})

test.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', 'gopher://127.0.0.1/', 'data:text/plain,x'])(
  'a redirect to %s → an error',
  async location => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { script: faults.redirects(location) })
    expect((await failing('download', url, setting)).code).toBe('Redirect')
  },
)

test('a redirect without Location → an error', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { script: { status: 302 } })
  expect((await failing('download', url, setting, { retries: 1 })).code).toBe('Redirect')
})

test('a presigned URL behind a redirect expires mid-run → resolved again, and continues', async () => {
  const setting = await setUp()
  await using far = await startFaultServer({ hostname: 'localhost' })
  await using near = await startFaultServer()
  far.resource('/signed', { size: ODD, script: faults.expiresAfter(4) })
  const { url } = near.resource('/data', {
    script: faults.redirects(count => far.url(`/signed?X-Amz-Signature=${count}`)),
  })
  await download(url, setting.path('data'), { engine: setting.engine, partSize })
  await expectFile(setting.path('data'), ODD)
  expect(near.requests.length).toBeGreaterThan(2)
  expect(far.sent).toBeLessThan(1.2 * ODD)
})

test('a presigned URL expires mid-run, hooks.resolve gives a new one → continues from verified bytes', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  server.resource('/signed', { size: ODD, script: faults.expiresAfter(4) })
  let asked = 0
  const hooks: Hooks = {
    async resolve(uri) {
      expect(uri).toBe('object://catalogue/17')
      return server.url(`/signed?X-Amz-Signature=${SECRET}${++asked}`)
    },
  }
  const { networkBytes } = await download('object://catalogue/17', setting.path('data'), {
    engine: setting.engine,
    partSize,
    hooks,
  })
  await expectFile(setting.path('data'), ODD)
  expect(networkBytes).toBe(ODD)
  expect(asked).toBeGreaterThan(2)
  expect(asked).toBeLessThanOrEqual(14)
  expect(JSON.stringify(setting.events)).not.toContain(SECRET)
})

test('hooks.resolve gives an address of another version → ResourceChanged, nothing is spliced', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  server.resource('/1', { size: ODD, script: faults.expiresAfter(4) })
  server.resource('/2', { size: ODD, version: 1 })
  let asked = 0
  const hooks: Hooks = { resolve: async () => server.url(`/${Math.min(2, ++asked)}`) }
  const error = await failing('download', server.url('/data'), setting, { partSize, hooks })
  expect(error.code).toBe('ResourceChanged')
})

test('a presigned URL expires, and nobody gives a new one → Expired, in the server’s words and without its signature', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  server.resource('/signed', { size: ODD, script: faults.expiresAfter(0) })
  const error = await failing('download', server.url(`/signed?X-Amz-Signature=${SECRET}`), setting)
  expect(error.code).toBe('Expired')
  expect(error.message).toContain('Request has expired')
  expect(JSON.stringify([error.message, error.details])).not.toContain(SECRET)
  expect(server.requests.length).toBeLessThanOrEqual(2)
})

test('hooks.resolve gives the same dead address again → Expired, after a bounded number of requests', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  server.resource('/signed', { size: ODD, script: faults.expiresAfter(0) })
  const hooks: Hooks = { resolve: async () => server.url('/signed?sig=1') }
  expect((await failing('download', 'object://catalogue/17', setting, { hooks })).code).toBe('Expired')
  expect(server.requests.length).toBeLessThanOrEqual(2)
})

test('hooks.credentials are asked once, and again after a refusal', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  let token = 'first'
  const script = (request: { readonly headers: Readonly<Record<string, string | undefined>> }, attempt: number) => {
    if (attempt === 5) token = 'second'
    return request.headers.authorization === `Bearer ${token}` ? undefined : { status: 401 }
  }
  const { url } = server.resource('/data', { size: ODD, script })
  const asked: { readonly origin: string; readonly isRefresh: boolean }[] = []
  const hooks: Hooks = {
    async credentials(request) {
      asked.push(request)
      return { Authorization: `Bearer ${token}` }
    },
  }
  await download(url, setting.path('data'), { engine: setting.engine, partSize, hooks, concurrency: 1 })
  await expectFile(setting.path('data'), ODD)
  expect(asked).toEqual([
    { origin: server.origin, isRefresh: false },
    { origin: server.origin, isRefresh: true },
  ])
})

test('credentials that stay refused → Denied, asked again once', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD, script: { status: 403 } })
  let asked = 0
  const hooks: Hooks = {
    async credentials() {
      asked++
      return { Authorization: `Bearer ${SECRET}` }
    },
  }
  const error = await failing('download', url, setting, { hooks })
  expect(error.code).toBe('Denied')
  expect(asked).toBe(2)
  expect(JSON.stringify([error.message, error.details, setting.events])).not.toContain(SECRET)
})

test('a hook that throws → HookFailed', async () => {
  const setting = await setUp()
  const fail = () => {
    throw new Error('no ticket today')
  }
  for (const hooks of [{ resolve: fail }, { credentials: fail }]) {
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD })
    const error = await failing('download', url, setting, { hooks })
    expect(error.code).toBe('HookFailed')
    expect(error.message).toContain('no ticket today')
  }
})

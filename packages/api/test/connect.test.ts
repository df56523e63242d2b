import { describe, expect, expectTypeOf, test } from 'vitest'
import { type Connection, type ConnectOptions, connect, endpoints, LibrarianError } from '../src/index.ts'
import { ourGreeting, type ScriptedServer, type Step, startScriptedServer } from './scripted-server.ts'

const found = {
  name: 'dir/f1.bin',
  create_time: '2026-11-20T22:03:37.293159',
  size: 1100,
  checksum: 'xxh3:::fece70bec15fa5d04e440dc8809b1a8c',
  uploader: 'admin',
  source: 'admin',
  instances: [],
  remote_instances: [],
}

const busy: Step = { status: 503, body: 'Service Unavailable' }
const done: Step = { status: 200, body: { success: true, username: 'u' } }

/** A connection that waits for nothing and remembers how long it would have. */
function impatient(server: ScriptedServer, options: Partial<ConnectOptions> = {}): [Connection, number[]] {
  const waits: number[] = []
  const sleep = async (ms: number): Promise<void> => {
    waits.push(ms)
  }
  const all = { url: server.url, user: 'ada', password: 'pa:ß', random: () => 0.5, sleep, ...options }
  return [connect(all as ConnectOptions), waits]
}

describe('connect()', () => {
  test('calls exact paths with JSON and Basic credentials in UTF-8', async () => {
    await using server = await startScriptedServer({ steps: [{ status: 200, body: [found] }] })
    const [librarian] = impatient(server, { url: `${server.url}/prefix/` })
    expect(await librarian.search.file({ name: 'dir/f1.bin' })).toEqual([found])
    expect(server.greetings).toMatchObject([{ method: 'POST', path: '/prefix/api/v2/ping/', body: '{}' }])
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        path: '/prefix/api/v2/search/file',
        body: '{"name":"dir/f1.bin"}',
        headers: {
          'content-type': 'application/json',
          authorization: `Basic ${Buffer.from('ada:pa:ß').toString('base64')}`,
        },
      },
    ])
    expect(server.seen[0]?.headers).not.toHaveProperty('idempotency-key')
  })

  test('has a method for every endpoint of the table, typed', async () => {
    await using server = await startScriptedServer({ steps: [{ status: 418, body: '' }] })
    const [librarian] = impatient(server)
    for (const [group, members] of Object.entries(endpoints)) {
      for (const [name, endpoint] of Object.entries(members)) {
        const method = (librarian as unknown as Record<string, Record<string, (request: object) => Promise<unknown>>>)[
          group
        ]![name]!
        await method({}).catch(() => undefined)
        const last = [...server.seen, ...server.greetings].some(({ path }) => path === `/api/v2/${endpoint.path}`)
        expect([endpoint.path, last]).toEqual([endpoint.path, true])
      }
    }
    expectTypeOf(librarian.ping.any).toBeCallableWith()
    expectTypeOf(librarian.admin.storesList).toBeCallableWith()
    expectTypeOf(librarian.users.get).toBeCallableWith({ username: 'u' })
    expectTypeOf<Awaited<ReturnType<typeof librarian.users.get>>>().toEqualTypeOf<{
      username: string
      permission: 0 | 1 | 2 | 3 | 4 | 100
    }>()
    // @ts-expect-error a request with required fields cannot be left out
    expectTypeOf(librarian.users.get).toBeCallableWith()
  })

  test('lists stores without any body, as the older client does', async () => {
    await using server = await startScriptedServer({ steps: [{ status: 200, body: [] }] })
    const [librarian] = impatient(server)
    expect(await librarian.admin.storesList()).toEqual([])
    expect(server.seen[0]).toMatchObject({ body: '' })
    expect(server.seen[0]?.headers).not.toHaveProperty('content-type')
  })

  test('takes the empty answer of a commit', async () => {
    await using server = await startScriptedServer({ steps: [{ status: 200 }] })
    const [librarian] = impatient(server)
    const commit = {
      store_name: 's',
      staging_name: 'u',
      staging_location: '/s/u/f',
      upload_name: 'f',
      destination_location: 'f',
      transfer_provider_name: 'local',
      transfer_provider: { hostnames: [] },
      meta_mode: 'infer',
      deletion_policy: '0',
      uploader: 'ada',
      transfer_id: 1,
    }
    expect(await librarian.upload.commit(commit)).toBe(undefined)
  })

  test('drops fields that it does not know, and misses none that it may', async () => {
    const body = [
      {
        ...found,
        novelty: 1,
        instances: [{ path: '/a', deletion_policy: 0, created_time: '2026-01-01T00:00:00', available: true, x: 1 }],
      },
    ]
    await using server = await startScriptedServer({ steps: [{ status: 200, body }] })
    const [librarian] = impatient(server)
    const [file] = await librarian.search.file()
    expect(file).not.toHaveProperty('novelty')
    expect(file?.instances[0]).toEqual({
      path: '/a',
      deletion_policy: 0,
      created_time: '2026-01-01T00:00:00',
      available: true,
    })
  })

  test('takes "nothing found" for an empty list, and any other 404 for a failure', async () => {
    const nothing = { status: 404, body: { reason: 'No files found.', suggested_remedy: 'x' } }
    const lost = { status: 404, body: { detail: 'Not Found' } }
    await using server = await startScriptedServer({ steps: [nothing, lost] })
    const [librarian] = impatient(server)
    expect(await librarian.search.file({ name: 'x' })).toEqual([])
    await expect(librarian.search.file({ name: 'x' })).rejects.toMatchObject({ code: 'NoEndpoint' })
  })

  test.each<[name: string, step: Step, message: string]>([
    ['HTML', { status: 200, body: '<html>' }, 'must be JSON'],
    ['another shape', { status: 200, body: [{ name: 5 }] }, 'name'],
    ['a size that JavaScript cannot hold', { status: 200, body: [{ ...found, size: 2 ** 60 }] }, 'size'],
    [
      'a redirect',
      { status: 307, headers: { location: 'http://user:s3cret@other.example/api?token=s3cret' } },
      'http://other.example/api',
    ],
  ])('refuses %s as an answer, and does not ask again', async (_, step, message) => {
    await using server = await startScriptedServer({ steps: [step] })
    const [librarian, waits] = impatient(server)
    const error = await librarian.search.file().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'BadAnswer', message: expect.stringContaining(message) })
    expect(String(error)).not.toContain('s3cret')
    expect(waits).toEqual([])
    expect(server.seen).toHaveLength(1)
  })

  test('stops reading an answer that has no end', async () => {
    await using server = await startScriptedServer({ steps: [{ status: 200, body: 'x'.repeat(100_000) }] })
    const [librarian] = impatient(server, { maxAnswerBytes: 10_000 })
    await expect(librarian.search.file()).rejects.toMatchObject({ code: 'BadAnswer' })
  })
})

describe('repeating', () => {
  test.each<[string, Step]>([
    ['a lost connection', 'cut'],
    ['half an answer', 'cut in the body'],
    ['a busy server', busy],
    ['a proxy without its server', { status: 502, body: '<html>' }],
    ['too many calls', { status: 429, body: {} }],
  ])('reads are repeated after %s, each time later', async (_, step) => {
    await using server = await startScriptedServer({ steps: [step, step, { status: 200, body: [found] }] })
    const [librarian, waits] = impatient(server)
    expect(await librarian.search.file()).toEqual([found])
    expect(waits).toEqual([125, 250])
  })

  test('gives up after as many repetitions as it may make', async () => {
    await using server = await startScriptedServer({ steps: [busy] })
    const [librarian, waits] = impatient(server, { retries: 2 })
    await expect(librarian.search.file()).rejects.toMatchObject({ code: 'Busy' })
    expect(server.seen).toHaveLength(3)
    expect(waits).toHaveLength(2)
  })

  /** A clock that its own waits drive. */
  function patient(server: ScriptedServer, url = server.url) {
    let at = 0
    const told: string[] = []
    const [librarian] = impatient(server, {
      url,
      retries: 2,
      patience: { firstMs: 1000, laterMs: 5000 },
      now: () => at,
      sleep: async ms => void (at += ms),
      onWait: ({ error, ms }) => told.push(`${(error as LibrarianError).code} ${ms}`),
    })
    return { librarian, told, at: () => at }
  }

  test('a server that never answered is given up soon, by all calls together', async () => {
    await using server = await startScriptedServer({ steps: [] })
    const { librarian, told, at } = patient(server, 'http://127.0.0.1:1')
    await expect(librarian.search.file()).rejects.toMatchObject({ code: 'PeerUnreachable' })
    expect(at()).toBe(1000)
    expect(told).toEqual(['PeerUnreachable 125', 'PeerUnreachable 250', 'PeerUnreachable 500', 'PeerUnreachable 125'])
    await expect(librarian.search.file()).rejects.toMatchObject({ code: 'PeerUnreachable' })
    expect(at()).toBe(1000)
  })

  test('one that has answered is waited for longer than it may be repeated; a call that is always cut ends, too', async () => {
    await using server = await startScriptedServer({ steps: ['cut'] })
    const { librarian, told, at } = patient(server)
    await expect(librarian.search.file()).rejects.toMatchObject({ code: 'PeerUnreachable' })
    expect(at()).toBe(5000)
    expect(told.length).toBeGreaterThan(3)
  })

  test.each<Step>(['cut', 'cut in the body', busy])('a real librarian’s change is never repeated: %j', async step => {
    await using server = await startScriptedServer({ steps: [step] })
    const [librarian, waits] = impatient(server)
    await expect(librarian.users.delete({ username: 'u' })).rejects.toBeInstanceOf(LibrarianError)
    expect(server.seen).toHaveLength(1)
    expect(waits).toEqual([])
  })

  test.each<Step>(['cut', busy])('our own server’s change is repeated with the same key: %j', async step => {
    await using server = await startScriptedServer({ steps: [step, done], greeting: ourGreeting })
    let count = 0
    const [librarian] = impatient(server, { idempotencyKeys: () => `key-${++count}` })
    expect(await librarian.users.delete({ username: 'u' })).toEqual({ success: true, username: 'u' })
    await librarian.users.delete({ username: 'u' })
    await librarian.users.delete({ username: 'u' }, { idempotencyKey: 'of-an-earlier-process' })
    expect(server.seen.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'key-1',
      'key-1',
      'key-2',
      'of-an-earlier-process',
    ])
  })

  test('keys are random unless they are given', async () => {
    await using server = await startScriptedServer({ steps: [done] })
    const [librarian] = impatient(server)
    await librarian.users.delete({ username: 'u' })
    await librarian.users.delete({ username: 'u' })
    const keys = server.seen.map(({ headers }) => headers['idempotency-key'])
    expect(new Set(keys).size).toBe(2)
    for (const key of keys) expect(key).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('a change that was never sent is repeated anywhere', async () => {
    const closed = await startScriptedServer({ steps: [done] })
    await closed[Symbol.asyncDispose]()
    const waits: number[] = []
    const librarian = connect({
      url: closed.url,
      user: 'ada',
      password: 's3cret',
      retries: 3,
      random: () => 0.5,
      sleep: async ms => void waits.push(ms),
    })
    const error = await librarian.users.delete({ username: 'u' }).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'PeerUnreachable', message: expect.stringContaining('ECONNREFUSED') })
    expect(waits).toEqual([125, 250, 500])
    expect(JSON.stringify(error) + String(error)).not.toContain('s3cret')
  })

  test.each([
    [{ status: 409, body: { reason: 'x' } }],
    [{ status: 422, body: { detail: [] } }],
    [{ status: 500, body: 'Internal Server Error' }],
    [{ status: 401, body: { detail: 'Incorrect username or password' } }],
    [{ status: 507, body: {} }],
  ])('a refusal is final, also for reads of our own server: %j', async step => {
    await using server = await startScriptedServer({ steps: [step], greeting: ourGreeting })
    const [librarian, waits] = impatient(server)
    await expect(librarian.search.file()).rejects.toBeInstanceOf(LibrarianError)
    expect(waits).toEqual([])
  })

  test('a validation that found a downstream librarian away is not run again', async () => {
    await using server = await startScriptedServer({ steps: [{ status: 503, body: { reason: 'away' } }] })
    const [librarian] = impatient(server)
    await expect(librarian.validate.file({ file_name: 'x' })).rejects.toMatchObject({ code: 'PeerUnreachable' })
    expect(server.seen).toHaveLength(1)
  })

  test('Retry-After is the least wait, and one that is too long ends the call', async () => {
    const asks = (seconds: string): Step => ({ ...(busy as object), status: 503, headers: { 'retry-after': seconds } })
    await using server = await startScriptedServer({ steps: [asks('7'), asks('86400')] })
    const [librarian, waits] = impatient(server)
    await expect(librarian.search.file()).rejects.toMatchObject({ code: 'Busy', retryAfterSeconds: 86_400 })
    expect(waits).toEqual([7125])
  })

  test('after a lost connection it greets again: another server may be there', async () => {
    await using server = await startScriptedServer({
      steps: [{ status: 200, body: [] }, 'cut', { status: 200, body: [] }],
    })
    const [librarian] = impatient(server)
    await librarian.search.file()
    await librarian.search.file()
    expect(server.greetings).toHaveLength(2)
  })
})

describe('waiting', () => {
  test('a server that takes the connection and never greets is unreachable in time', async () => {
    await using server = await startScriptedServer({ steps: [done], greeting: 'hang' })
    const [librarian] = impatient(server, { connectTimeoutMs: 700, retries: 1 })
    await expect(librarian.users.delete({ username: 'u' })).rejects.toMatchObject({
      code: 'PeerUnreachable',
      message: expect.stringContaining('within 700 ms'),
    })
    expect(server.greetings).toHaveLength(2)
    expect(server.seen).toHaveLength(0)
  })

  test('a call may take longer than the greeting', async () => {
    await using server = await startScriptedServer({ steps: ['hang'] })
    const [librarian] = impatient(server, { connectTimeoutMs: 1000 })
    const abort = new AbortController()
    const call = librarian.validate.file({ file_name: 'x' }, { signal: abort.signal })
    const early = await Promise.race([
      call.catch(() => 'ended'),
      new Promise(resolve => setTimeout(resolve, 1500, 'waiting')),
    ])
    expect(early).toBe('waiting')
    abort.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })

  test.each(['of the call', 'of the connection'])('an abort %s passes through as its reason', async whose => {
    await using server = await startScriptedServer({ steps: ['hang'] })
    const abort = new AbortController()
    const isCall = whose === 'of the call'
    const [librarian] = impatient(server, isCall ? {} : { signal: abort.signal })
    const call = librarian.search.file({}, isCall ? { signal: abort.signal } : {})
    const reason = new Error('the user left')
    setTimeout(() => abort.abort(reason), 50)
    expect(await call.catch((error: unknown) => error)).toBe(reason)
    await expect(librarian.search.file({}, isCall ? { signal: abort.signal } : {})).rejects.toBe(reason)
  })

  test('an abort ends the wait between repetitions', async () => {
    await using server = await startScriptedServer({ steps: [{ status: 503, headers: { 'retry-after': '600' } }] })
    const librarian = connect({ url: server.url, user: 'ada', password: 'x' })
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('enough')), 100)
    await expect(librarian.search.file({}, { signal: abort.signal })).rejects.toThrow('enough')
  })
})

describe('greet()', () => {
  test('tells who is there, and asks once', async () => {
    await using server = await startScriptedServer({ steps: [done], greeting: ourGreeting })
    const [librarian] = impatient(server)
    expect(await librarian.greet()).toEqual({
      name: 'Local',
      description: 'A librarian',
      version: '1.0.0',
      capabilities: new Set(['idempotency']),
    })
    await librarian.greet()
    expect(server.greetings).toHaveLength(1)
  })

  test.each<Step>([{ status: 404, body: 'x' }, { status: 200, body: '<html>' }, { status: 500 }])(
    'an answer that is no greeting is a stranger’s, of whom nothing is assumed: %j',
    async greeting => {
      await using server = await startScriptedServer({ steps: [done], greeting })
      const [librarian] = impatient(server)
      expect((await librarian.greet()).capabilities.size).toBe(0)
      expect(await librarian.users.delete({ username: 'u' })).toEqual({ success: true, username: 'u' })
    },
  )
})

describe('addresses', () => {
  const base = { user: 'ada', password: 's3cret' }

  test.each<[Partial<ConnectOptions>, string]>([
    [{ url: 'https://example.org' }, 'https://example.org'],
    [{ url: 'https://example.org:8443/a/b/' }, 'https://example.org:8443/a/b'],
    [{ host: 'https://example.org', port: 443 }, 'https://example.org'],
    [{ host: 'http://example.org/', port: 21_108 }, 'http://example.org:21108'],
    [{ host: 'https://example.org/lib/', port: 8443 }, 'https://example.org:8443/lib'],
    [{ host: 'http://[::1]', port: 80 }, 'http://[::1]'],
  ])('%j is %s', (address, expected) => {
    expect(connect({ ...base, ...address } as ConnectOptions).address).toBe(expected)
  })

  test.each<[Partial<ConnectOptions>, string]>([
    [{ host: 'https://example.org:443', port: 443 }, 'apart'],
    [{ host: 'http://example.org:5000/x', port: 5000 }, 'apart'],
    [{ host: 'example.org', port: 80 }, 'URL'],
    [{ url: 'ftp://example.org' }, 'http'],
    [{ url: 'https://ada:s3cret@example.org' }, 'apart'],
    [{ url: 'https://example.org?token=s3cret' }, '"?"'],
    [{ url: 'https://example.org#x' }, '"?"'],
    [{ url: '' }, 'URL'],
    [{ host: 'http://example.org', port: 0 }, 'port'],
    [{ host: 'http://example.org', port: 70_000 }, 'port'],
    [{ url: 'https://example.org', user: 'a:b' }, 'colon'],
    [{ url: 'https://example.org', password: 's3cret'.repeat(200) }, '1024'],
  ])('refuses %j', (address, rule) => {
    const attempt = (): Connection => connect({ ...base, ...address } as ConnectOptions)
    expect(attempt).toThrow(expect.objectContaining({ code: 'Configuration', message: expect.stringContaining(rule) }))
    expect(attempt).toThrow(expect.objectContaining({ message: expect.not.stringContaining('s3cret') }))
  })
})

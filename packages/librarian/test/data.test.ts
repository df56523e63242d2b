import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import type { OpenFile, Store } from '../src/stores/store.ts'
import { type BytesApp, startBytesApp } from './bytes-app.ts'
import { asUser } from './raw-app.ts'
import { bytesOf, newGround } from './world.ts'

const headers = asUser('ada')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

describe('data', () => {
  let site: BytesApp
  const content = randomBytes(100_000)
  const tree = new Map([
    ['a.txt', bytesOf('abc')],
    ['sub/b c.txt', bytesOf('')],
  ])
  const get = (path: string, more: Record<string, string> = {}, method = 'GET') =>
    fetch(`${site.app.origin}/api/v2/data/${path}`, { method, headers: { ...headers, ...more } })

  beforeAll(async () => {
    site = await startBytesApp({ users: { nobody: 'NONE', reader: 'READONLY' } })
    await site.world.upload('night/1 %.fits', content)
    await site.world.upload('run', tree)
    await site.world.upload('empty', bytesOf(''))
  })
  afterAll(() => site[Symbol.asyncDispose]())

  test('gives a file with all that proves it', async () => {
    const answer = await get('night/1%20%25.fits')
    const body = Buffer.from(await answer.arrayBuffer())
    expect(body.equals(content)).toBe(true)
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': '100000',
      etag: `"${sha256(content).toString('hex')}"`,
      'repr-digest': `sha-256=:${sha256(content).toString('base64')}:`,
      'accept-ranges': 'bytes',
      'content-disposition': `attachment; filename="1 _.fits"; filename*=UTF-8''1%20%25.fits`,
      'x-content-type-options': 'nosniff',
    })
  })

  test('tells the same head without the bytes', async () => {
    const [head, got] = await Promise.all([get('night/1%20%25.fits', {}, 'HEAD'), get('night/1%20%25.fits')])
    expect(await head.text()).toBe('')
    await got.arrayBuffer()
    const named = (answer: Response) =>
      [...answer.headers].filter(([name]) => !['date', 'x-request-id', 'connection', 'keep-alive'].includes(name))
    expect(named(head)).toEqual(named(got))
  })

  test('any single range is that part, and names the whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(99_999), fc.nat(120_000), async (start, end) => {
        fc.pre(start <= end)
        const answer = await get('night/1%20%25.fits', { range: `bytes=${start}-${end}` })
        const last = Math.min(end, 99_999)
        expect(answer.status).toBe(206)
        expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${last}/100000`)
        expect(answer.headers.get('repr-digest')).toBe(`sha-256=:${sha256(content).toString('base64')}:`)
        expect(Buffer.from(await answer.arrayBuffer()).equals(content.subarray(start, last + 1))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test.each([
    [{ range: 'bytes=-10' }, 206, 10],
    [{ range: 'bytes=100000-' }, 416, 0],
    [{ range: 'bytes=0-1,5-6' }, 200, 100_000],
    [{ range: 'bytes=0-1', 'if-range': '"other"' }, 200, 100_000],
    [{ 'if-match': '"other"' }, 412, 0],
    [{ 'if-none-match': '*' }, 304, 0],
  ])('%j is answered by %i', async (more, status, length) => {
    const answer = await get('night/1%20%25.fits', more as Record<string, string>)
    expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([status, length])
    if (status === 416) expect(answer.headers.get('content-range')).toBe('bytes */100000')
  })

  test('a range is used again with the tag of the answer before', async () => {
    const etag = (await get('night/1%20%25.fits', {}, 'HEAD')).headers.get('etag') as string
    const answer = await get('night/1%20%25.fits', { range: 'bytes=5-9', 'if-range': etag })
    expect([answer.status, Buffer.from(await answer.arrayBuffer()).equals(content.subarray(5, 10))]).toEqual([
      206,
      true,
    ])
  })

  test('lists a tree, gives each member with its own digest, and a directory in it', async () => {
    const listing = (await (await get('run')).json()) as { members: { path: string; url: string; sha256: string }[] }
    expect(listing).toMatchObject({ name: 'run', kind: 'tree', size: 3 })
    expect(listing.members.map(({ path }) => path)).toEqual(['a.txt', 'sub/b c.txt'])
    for (const { path, url, sha256: stated } of listing.members) {
      const answer = await fetch(site.app.origin + url, { headers })
      expect(await answer.text()).toBe(Buffer.from(tree.get(path)!).toString())
      expect(answer.headers.get('repr-digest')).toBe(`sha-256=:${Buffer.from(stated, 'hex').toString('base64')}:`)
    }
    expect(await (await get('run/sub')).json()).toMatchObject({ members: [{ path: 'b c.txt' }] })
    expect(listing).toMatchObject({ directories: ['sub'] })
  })

  test('a listing that nobody reads counts as a download, and is cut off', async () => {
    await using slow = await startBytesApp({ tuning: { perUser: 1, idleMs: 1000 } })
    const long = 'n'.repeat(200)
    const members = new Map(Array.from({ length: 30_000 }, (_, at) => [`${long}${at}`, bytesOf('')]))
    await slow.world.upload('many', members)
    const ask = () => fetch(`${slow.app.origin}/api/v2/data/many`, { headers })
    const first = await ask()
    const second = await ask()
    expect([first.status, second.status]).toEqual([200, 429])
    await second.arrayBuffer()
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200)
    await expect(first.arrayBuffer()).rejects.toThrow()
  })

  test('an empty file has a digest, and no range', async () => {
    const answer = await get('empty')
    expect([answer.status, await answer.text()]).toEqual([200, ''])
    expect(answer.headers.get('repr-digest')).toBe(`sha-256=:${sha256(bytesOf('')).toString('base64')}:`)
    expect((await get('empty', { range: 'bytes=0-' })).status).toBe(416)
  })

  test.each([
    ['nothing', 404],
    ['run/none', 404],
    ['run/sub/b', 404],
    ['night/1%20%25.fits/x', 404],
    ['night%2F1%20%25.fits', 400],
    ['night//1', 400],
    ['night/%2e%2e/empty', 400],
    ['%ff', 400],
    ['a%00b', 400],
  ])('%s is answered by %i', async (path, status) => {
    const [line] = (await rawGet(path)).split('\r\n')
    expect(line).toContain(` ${status} `)
  })

  test('a name that is encoded twice is another name', async () => {
    await site.world.upload('50%25', bytesOf('x'))
    expect((await rawGet('50%25')).split('\r\n')[0]).toContain(' 404 ')
    expect((await rawGet('50%2525')).split('\r\n')[0]).toContain(' 200 ')
  })

  test('nobody but readers gets anything', async () => {
    expect((await get('empty', asUser('reader'))).status).toBe(200)
    expect((await get('empty', asUser('nobody'))).status).toBe(401)
    expect((await get('empty', { authorization: 'Bearer abc.def' })).status).toBe(401)
    expect((await fetch(`${site.app.origin}/api/v2/data/empty`)).status).toBe(401)
  })

  /** Paths that clients would clean up. */
  const rawGet = (path: string) =>
    site.app.exchange(
      `GET /api/v2/data/${path} HTTP/1.1\r\nHost: h\r\nAuthorization: ${headers.authorization}\r\nConnection: close\r\n\r\n`,
    )
})

describe('data, of copies that are not what they were', () => {
  test('only a good copy is served: the next one where the first is bad', async () => {
    const ground = await newGround(['one', 'two'])
    await using site = await startBytesApp({ ground })
    await site.world.upload('a', bytesOf('good'))
    const [one] = ground.stores
    one!.damage('a', bytesOf('evil'))
    const answer = await fetch(`${site.app.origin}/api/v2/data/a`, { headers })
    // Touched since it was read: read again before anybody gets a byte, and found bad.
    expect(answer.status).toBe(409)
    expect(await answer.text()).not.toContain('evil')
    const [copy] = await ground.catalogue.serving.copies({ name: 'a' })
    expect(copy).toMatchObject({ state: 'mismatch' })
    const again = await fetch(`${site.app.origin}/api/v2/data/a`, { headers })
    // Final: whoever asks again would hear the same.
    expect([again.status, again.headers.get('retry-after')]).toEqual([409, null])
    expect(await again.json()).toMatchObject({ code: 'NoGoodCopy', reason: expect.stringContaining('mismatch') })
  })

  test('a bad copy beside one whose disk is not there is worth another try', async () => {
    const ground = await newGround(['one', 'two'])
    await using site = await startBytesApp({ ground })
    await site.world.upload('a', bytesOf('good'))
    const [one, two] = ground.stores
    one!.damage('a', bytesOf('evil'))
    expect((await fetch(`${site.app.origin}/api/v2/data/a`, { headers })).status).toBe(409)
    await ground.catalogue.instances.add({ name: 'a', storeId: 2, path: two!.pathOf('a') })
    two!.unavailableBecause = 'unplugged'
    const answer = await fetch(`${site.app.origin}/api/v2/data/a`, { headers })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60'])
  })

  test('a copy that was touched but is the same is served after it was read again', async () => {
    await using site = await startBytesApp()
    await site.world.upload('a', bytesOf('good'))
    site.world.store.damage('a', bytesOf('good'))
    const answer = await fetch(`${site.app.origin}/api/v2/data/a`, { headers })
    expect([answer.status, await answer.text()]).toEqual([200, 'good'])
  })

  test('a copy of another size is never begun, and is recorded', async () => {
    await using site = await startBytesApp()
    await site.world.upload('a', bytesOf('good'))
    site.world.store.damage('a', bytesOf('goodness'))
    expect((await fetch(`${site.app.origin}/api/v2/data/a`, { headers })).status).toBe(409)
    await site.reader.settled()
    expect(await site.world.ground.catalogue.serving.copies({ name: 'a' })).toMatchObject([{ state: 'mismatch' }])
  })

  test('a copy that nobody has read yet is read first, once, and then served', async () => {
    await using site = await startBytesApp()
    const { catalogue } = site.world.ground
    await site.world.upload('a', bytesOf('good'))
    await forget(catalogue)
    const both = await Promise.all([1, 2].map(() => fetch(`${site.app.origin}/api/v2/data/a`, { headers })))
    expect(await Promise.all(both.map(answer => answer.text()))).toEqual(['good', 'good'])
    expect(await catalogue.serving.copies({ name: 'a' })).toMatchObject([{ state: 'ok' }])
  })

  test('a copy that nobody has read yet and that is wrong is never served; the answer says what to do', async () => {
    await using site = await startBytesApp()
    const { catalogue } = site.world.ground
    await site.world.upload('a', bytesOf('good'))
    await forget(catalogue)
    site.world.store.damage('a', bytesOf('evil'))
    const answer = await fetch(`${site.app.origin}/api/v2/data/a`, { headers })
    const text = await answer.text()
    expect(answer.status).toBe(409)
    expect(text).not.toContain('evil')
    expect(text).toContain('recorded as mismatch')
    expect(text).toContain('arriero validate a')
    expect(await catalogue.serving.copies({ name: 'a' })).toMatchObject([{ state: 'mismatch' }])
  })

  test('a disk that is not there changes nothing about its copies', async () => {
    await using site = await startBytesApp()
    await site.world.upload('a', bytesOf('good'))
    site.world.store.unavailableBecause = 'unplugged'
    expect((await fetch(`${site.app.origin}/api/v2/data/a`, { headers })).status).toBe(503)
    site.world.store.unavailableBecause = undefined
    expect(await (await fetch(`${site.app.origin}/api/v2/data/a`, { headers })).text()).toBe('good')
  })

  test.each([
    ['a read fails in the middle', () => new Error('EIO: i/o error, read'), 'x'],
    ['the file is changed while it is sent', () => undefined, 'other'],
  ])('%s: the connection breaks, never ends cleanly, and the copy is doubted', async (_, failure, nextFingerprint) => {
    const content = randomBytes(3 << 20)
    let isBad = false
    await using site = await startBytesApp({
      wrapStore: store => failing(store, () => isBad, failure, nextFingerprint),
    })
    await site.world.upload('a', content)
    isBad = true
    const received = await receive(site, 'a')
    expect(received.head).toContain('200 OK')
    expect(received.body.length).toBeLessThan(content.length)
    await site.reader.settled()
    // Read again in full, and found good: the verdict is the second reading's.
    expect(await site.world.ground.catalogue.serving.copies({ name: 'a' })).toMatchObject([{ state: 'ok' }])
    expect(site.told.filter(message => message.includes('unreadable'))).toHaveLength(1)
  })

  test('more downloads of one user than allowed are told when to come again; others go on', async () => {
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    await using site = await startBytesApp({
      tuning: { perUser: 2 },
      wrapStore: store =>
        new Proxy(store, { get: (target, key) => (key === 'open' ? slowOpen(target) : bound(target, key)) }),
    })
    const slowOpen = (store: Store) => async (name: string, member?: string) => {
      await gate
      return store.open(name, member)
    }
    await site.world.upload('a', bytesOf('1'))
    const ask = (user: string) => fetch(`${site.app.origin}/api/v2/data/a`, { headers: asUser(user) })
    const all = [ask('ada'), ask('ada'), ask('ada')]
    // Two wait at the gate; only the one too many is answered.
    const refused = await Promise.race(all)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
    const other = ask('ben')
    release()
    const statuses = (await Promise.all([...all, other])).map(({ status }) => status)
    expect(statuses.sort()).toEqual([200, 200, 200, 429])
    expect((await ask('ada')).status).toBe(200)
  })

  test('a caller who takes nothing is cut off', async () => {
    await using site = await startBytesApp({ tuning: { idleMs: 300 } })
    await site.world.upload('a', randomBytes(20 << 20))
    const socket = connect(site.app.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`GET /api/v2/data/a HTTP/1.1\r\nHost: h\r\nAuthorization: ${headers.authorization}\r\n\r\n`)
    await new Promise(resolve => setTimeout(resolve, 1500))
    let received = 0
    socket.on('data', data => {
      received += data.length
    })
    await new Promise(resolve => socket.on('close', resolve))
    expect(received).toBeLessThan(20 << 20)
  })
})

/** As after a rebuild: the copy is there, and nobody has read it. */
async function forget(catalogue: Catalogue): Promise<void> {
  const [copy] = await catalogue.serving.copies({ name: 'a' })
  const unread = { sha256: null, size: null, checksum: null, fingerprint: null, medium: 'cache' } as const
  const readings = [{ instanceId: copy!.id, outcome: 'never-checked' as const, ...unread }]
  await catalogue.readings.record({ by: 'test', readings })
}

function bound(target: object, key: PropertyKey): unknown {
  const value = Reflect.get(target, key)
  return typeof value === 'function' ? value.bind(target) : value
}

/** Fails after the first MiB, or has another fingerprint when it is opened again. */
function failing(store: Store, isBad: () => boolean, failure: () => Error | undefined, nextFingerprint: string): Store {
  let opened = 0
  const open = async (name: string, member?: string): Promise<OpenFile> => {
    const file = await store.open(name, member)
    if (!isBad()) return file
    const error = failure()
    const again = ++opened > 1 && !error
    return {
      size: file.size,
      fingerprint: again ? nextFingerprint : file.fingerprint,
      fd: undefined,
      async *read(start, end, options) {
        let pieces = 0
        for await (const piece of file.read(start, end, options)) {
          if (error && pieces++ === 1) throw error
          yield piece
        }
      },
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    }
  }
  return new Proxy(store, { get: (target, key) => (key === 'open' ? open : bound(target, key)) })
}

async function receive(site: BytesApp, name: string): Promise<{ head: string; body: string }> {
  const text = await site.app.exchange(
    `GET /api/v2/data/${name} HTTP/1.1\r\nHost: h\r\nAuthorization: ${headers.authorization}\r\n\r\n`,
    1000,
  )
  const end = text.indexOf('\r\n\r\n')
  return { head: text.slice(0, end), body: text.slice(end + 4) }
}

import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import type { IngestSettings } from '../src/config.ts'
import { EmbeddedEngine } from '../src/engine/embedded.ts'
import { createIngestFeature, type IngestFeature, type IngestFeatureOptions } from '../src/features/ingest.ts'
import { silentLog } from '../src/log.ts'
import { asUser, type RawApp, startRawApp } from './raw-app.ts'
import { openWorld, type World, type WorldGround } from './world.ts'

const sha256 = (bytes: Uint8Array) => `sha256:::${createHash('sha256').update(bytes).digest('hex')}`

interface Origin extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly requests: IncomingMessage[]
}

/** Files by path; ranges are honoured. */
async function startOrigin(
  answer: (path: string, request: IncomingMessage, response: ServerResponse) => Uint8Array | undefined,
): Promise<Origin> {
  const requests: IncomingMessage[] = []
  const server: Server = createServer((request, response) => {
    requests.push(request)
    const bytes = answer(request.url ?? '', request, response)
    if (response.headersSent || response.destroyed) return
    if (!bytes) return void response.writeHead(404).end()
    const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`
    if (!match)
      return void response.writeHead(200, { 'content-length': bytes.length, 'accept-ranges': 'bytes', etag }).end(bytes)
    const start = Number(match[1])
    const end = match[2] ? Math.min(Number(match[2]) + 1, bytes.length) : bytes.length
    response.writeHead(206, {
      'content-length': end - start,
      'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
      'accept-ranges': 'bytes',
      etag,
    })
    response.end(bytes.subarray(start, end))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

interface Site extends AsyncDisposable {
  readonly world: World
  readonly feature: IngestFeature
  readonly app: RawApp
  call(path: string, body: object, user?: string): Promise<{ status: number; body: Answer }>
  /** Does what is wanted, until the signal. */
  work(signal: AbortSignal): Promise<void>
  /** Runs one job in this process. */
  run(jobId: string, signal?: AbortSignal): Promise<'ended' | 'taken' | 'stopped'>
}

interface Answer {
  readonly job_id: string
  readonly status: string
  readonly total: number
  readonly done: number
  readonly failed: number
  readonly bytes: number
  readonly reason: string
  readonly job: Answer
  readonly next: number | null
  readonly items: {
    readonly position: number
    readonly name: string
    readonly status: string
    readonly reason: string
    readonly attempts: number
  }[]
  readonly jobs: Answer[]
}

const open: IngestSettings = {
  hosts: ['127.0.0.1', 'localhost'],
  ports: [443],
  schemes: ['http', 'https'],
  networks: ['127.0.0.0/8'],
  credentials: {},
  itemsAtOnce: 4,
  jobsAtOnce: 2,
}

async function startSite(
  ingest: Partial<IngestSettings>,
  {
    ground,
    holder = 'one',
    tuning,
  }: { ground?: WorldGround; holder?: string; tuning?: IngestFeatureOptions['tuning'] } = {},
): Promise<Site> {
  const world = await openWorld(ground ? { ground } : {})
  const engine = new EmbeddedEngine({ catalogue: world.ground.catalogue, clock: systemClock, log: silentLog })
  const feature = createIngestFeature({
    settings: { ingest: { ...open, ...ingest } },
    catalogue: world.ground.catalogue,
    stores: world.stores,
    uploads: world.uploads,
    clock: systemClock,
    log: silentLog,
    engine,
    holder,
    tuning: { retryMs: 10, ...tuning },
  })
  const app = await startRawApp({ rawRoutes: [], routes: feature.routes, users: { root: 'ADMIN', reader: 'READONLY' } })
  return {
    world,
    feature,
    app,
    async call(path, body, user = 'ada') {
      const answer = await fetch(`${app.origin}/api/v2/${path}`, {
        method: 'POST',
        headers: { ...asUser(user), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: (await answer.json()) as Answer }
    },
    async work(signal) {
      await feature.recover()
      await Promise.all([feature.work(signal), engine.work(signal)])
    },
    run: (jobId, signal = new AbortController().signal) => feature.jobs.run(jobId, { signal }),
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await feature.close()
      for (const store of world.ground.stores) await store[Symbol.asyncDispose]()
    },
  }
}

async function statusOf(site: Site, jobId: string) {
  const { body } = await site.call('ingest/status', {
    job_id: jobId,
    item_statuses: ['pending', 'done', 'exists', 'failed'],
    max_results: 1000,
  })
  return body
}

describe('ingest', () => {
  test('a hundred entries, the worker killed in the middle: another goes on, and nothing that was kept is fetched again', async () => {
    const files = new Map(Array.from({ length: 100 }, (_, index) => [`/f${index}`, randomBytes(20_000 + index)]))
    let served = 0
    const stop = new AbortController()
    await using origin = await startOrigin(path => {
      if (path === '/f42') return randomBytes(20_042)
      if (++served === 40) stop.abort(new Error('killed'))
      return files.get(path)
    })
    await using first = await startSite({ ports: [origin.port] })
    const { body: job } = await first.call('ingest', {
      entries: [...files].map(([path, bytes]) => ({
        name: `in${path}`,
        uri: origin.url + path,
        size: bytes.length,
        checksum: sha256(bytes),
      })),
      prefix: 'set',
    })
    expect(job).toMatchObject({ status: 'queued', total: 100 })
    expect(await first.run(job.job_id, stop.signal)).toBe('stopped')
    const midway = await statusOf(first, job.job_id)
    expect(midway.job.status).toBe('running')
    expect(midway.job.done).toBeGreaterThan(10)
    expect(midway.job.done).toBeLessThan(60)
    const kept = new Set(
      midway.items.filter(({ status }) => status === 'done').map(({ name }) => name.replace('set/in', '')),
    )
    origin.requests.length = 0
    await using second = await startSite({ ports: [origin.port] }, { ground: first.world.ground, holder: 'two' })
    expect(await second.run(job.job_id)).toBe('ended')
    const end = await statusOf(second, job.job_id)
    expect(end.job).toMatchObject({
      status: 'failed',
      reason: '1 of 100 entries could not be kept; the other 99 are kept',
      total: 100,
      done: 99,
      failed: 1,
    })
    const [failed] = end.items.filter(({ status }) => status === 'failed')
    expect(failed).toMatchObject({ position: 42, name: 'set/in/f42', reason: expect.stringMatching(/sha256/) })
    expect(origin.requests.filter(({ url }) => kept.has(url as string))).toEqual([])
    expect(await second.world.store.stat('set/in/f7')).toMatchObject({ size: 20_007 })
    expect(await second.world.store.stat('set/in/f42')).toBeUndefined()
    // Nothing is left of what failed or was interrupted.
    expect(await Array.fromAsync(second.world.store.spools())).toEqual([])
    const open = await second.world.ground.catalogue.uploads.list({
      statuses: ['INITIATED', 'ONGOING', 'STAGED'],
      limit: 10,
    })
    expect(open).toEqual([])
  }, 60_000)

  test('the same again is success without fetching; the same name with other bytes is not', async () => {
    const [a, b] = [randomBytes(1000), randomBytes(1000)]
    await using origin = await startOrigin(path => (path === '/a' ? a : b))
    await using site = await startSite({ ports: [origin.port] })
    const make = async (bytes: Uint8Array, path: string) => {
      const { body } = await site.call('ingest', {
        entries: [{ name: 'x', uri: origin.url + path, checksum: sha256(bytes) }],
      })
      await site.run(body.job_id)
      return (await statusOf(site, body.job_id)).items[0]
    }
    expect(await make(a, '/a')).toMatchObject({ status: 'done' })
    const requests = origin.requests.length
    expect(await make(a, '/a')).toMatchObject({ status: 'exists' })
    expect(origin.requests.length).toBe(requests)
    expect(await make(b, '/b')).toMatchObject({ status: 'failed', reason: expect.stringContaining('kept already') })
  })

  test('a mirror helps out; what passes is tried again', async () => {
    const bytes = randomBytes(5000)
    let failures = 2
    await using origin = await startOrigin((path, _, response) => {
      if (path === '/gone') return undefined
      if (path === '/later' && failures-- > 0) return void response.destroy()
      return bytes
    })
    await using site = await startSite({ ports: [origin.port] })
    const entries = [
      { name: 'a', uri: `${origin.url}/gone`, mirrors: [`${origin.url}/good`], checksum: sha256(bytes) },
      { name: 'b', uri: `${origin.url}/later`, checksum: sha256(bytes) },
    ]
    const { body } = await site.call('ingest', { entries })
    await site.run(body.job_id)
    expect((await statusOf(site, body.job_id)).job).toMatchObject({ status: 'done', done: 2, failed: 0 })
  }, 60_000)

  test('a manifest is read while the job runs; what cannot be used fails alone', async () => {
    const bytes = randomBytes(3000)
    const md5 = createHash('md5').update(bytes).digest('hex')
    const manifest = [
      JSON.stringify({ url: 'URL/1', filepath: 'one', checksum: md5, 'checksum-algorithm': 'md5' }),
      JSON.stringify({ url: 'URL/2', filepath: '../two', checksum: md5, 'checksum-algorithm': 'md5' }),
      JSON.stringify({ url: 'file:///etc/passwd', filepath: 'three', checksum: md5, 'checksum-algorithm': 'md5' }),
      JSON.stringify({ url: 'URL/4', filepath: 'four' }),
      'no json',
    ].join('\n')
    await using origin = await startOrigin(path =>
      path === '/list.jsonl' ? Buffer.from(manifest.replaceAll('URL', origin.url)) : bytes,
    )
    await using site = await startSite({ ports: [origin.port] })
    const { body } = await site.call('ingest', { manifest_uri: `${origin.url}/list.jsonl`, prefix: 'p' })
    expect(body.total).toBe(0)
    expect(await site.run(body.job_id)).toBe('ended')
    const { job, items } = await statusOf(site, body.job_id)
    expect(job).toMatchObject({ status: 'failed', total: 5, done: 1, failed: 4 })
    expect(items.map(({ status }) => status)).toEqual(['done', 'failed', 'failed', 'failed', 'failed'])
    expect(job.reason).toBe('4 of 5 entries could not be kept; the other 1 is kept')
    expect(items[2]?.reason).toContain('scheme')
    expect(await site.world.store.stat('p/one')).toMatchObject({ size: 3000 })
  })

  test('a job of which nothing could be kept has failed, and says so; so has one whose list is empty', async () => {
    await using origin = await startOrigin(path => (path === '/empty.csv' ? Buffer.from('url,md5\n') : undefined))
    await using site = await startSite({ ports: [origin.port] })
    const entries = ['a', 'b'].map(name => ({
      name,
      uri: `${origin.url}/${name}`,
      checksum: sha256(Buffer.from(name)),
    }))
    for (const [request, reason] of [
      [{ entries }, '2 of 2 entries could not be kept; none is kept'],
      [{ manifest_uri: `${origin.url}/empty.csv` }, 'The list has no entries'],
    ] as const) {
      const { body } = await site.call('ingest', request)
      expect(await site.run(body.job_id)).toBe('ended')
      expect((await statusOf(site, body.job_id)).job).toMatchObject({ status: 'failed', reason, done: 0 })
    }
  })

  test('one worker at a time; a job is its owner’s, and cancelled once', async () => {
    await using origin = await startOrigin(() => undefined)
    await using site = await startSite({ ports: [origin.port] })
    const { body } = await site.call('ingest', {
      entries: [{ name: 'a', uri: `${origin.url}/a`, size: 5, checksum: sha256(Buffer.from('hello')) }],
    })
    const holder = { resource: `job:${body.job_id}`, holder: 'other', seconds: 60 }
    await site.world.ground.catalogue.leases.acquire(holder)
    expect(await site.run(body.job_id)).toBe('taken')
    expect((await site.call('ingest/cancel', { job_id: body.job_id }, 'ben')).status).toBe(404)
    expect((await site.call('ingest/cancel', { job_id: body.job_id })).body.status).toBe('cancelled')
    expect((await site.call('ingest/cancel', { job_id: body.job_id })).body.status).toBe('cancelled')
    expect((await site.call('ingest/status', { job_id: body.job_id }, 'ben')).status).toBe(404)
    expect((await site.call('ingest/list', {}, 'ben')).body.jobs).toEqual([])
    expect((await site.call('ingest/list', {}, 'root')).body.jobs).toHaveLength(1)
    expect(await site.feature.jobs.open()).toEqual([])
  })

  test('the task engine brings a job as it is made, and stops one that is cancelled', async () => {
    const bytes = randomBytes(1000)
    let hangs = true
    await using origin = await startOrigin((_, __, response) => {
      if (!hangs) return bytes
      response.writeHead(200, { 'content-length': 1000 })
      response.write(bytes.subarray(0, 10))
      return undefined
    })
    await using site = await startSite({ ports: [origin.port] })
    const ending = new AbortController()
    const working = site.work(ending.signal)
    const entries = [{ name: 'a', uri: `${origin.url}/a`, size: 1000, checksum: sha256(bytes) }]
    const { body: hanging } = await site.call('ingest', { entries })
    await expect.poll(() => origin.requests.length, { timeout: 5000 }).toBeGreaterThan(0)
    expect((await site.call('ingest/cancel', { job_id: hanging.job_id })).status).toBe(200)
    await expect
      .poll(
        async () => (await site.world.ground.catalogue.uploads.list({ statuses: ['CANCELLED'], limit: 5 })).length,
        {
          timeout: 5000,
        },
      )
      .toBe(1)
    hangs = false
    const { body: good } = await site.call('ingest', { entries })
    await expect.poll(async () => (await statusOf(site, good.job_id)).job.status, { timeout: 10_000 }).toBe('done')
    ending.abort()
    await working
  }, 30_000)

  test('credentials are named, bound to their hosts, and stand in no row', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'arriero-ingest-'))
    await writeFile(join(directory, 'password'), 'canary-password\n')
    const bytes = randomBytes(1000)
    await using origin = await startOrigin((_, { headers }, response) =>
      headers.authorization === `Basic ${Buffer.from('u:canary-password').toString('base64')}`
        ? bytes
        : void response.writeHead(401).end(),
    )
    const credentials = {
      archive: { kind: 'basic', hosts: ['127.0.0.1'], username: 'u', password_file: join(directory, 'password') },
    } as const
    await using site = await startSite({ ports: [origin.port], credentials })
    const entries = [{ name: 'a', uri: `${origin.url}/a`, checksum: sha256(bytes) }]
    const { body } = await site.call('ingest', { entries, credentials: 'archive' })
    await site.run(body.job_id)
    const end = await statusOf(site, body.job_id)
    expect(end.job).toMatchObject({ done: 1 })
    const row = await site.world.ground.catalogue.jobs.get({ id: body.job_id })
    expect(JSON.stringify([row, end])).not.toContain('canary')
    const elsewhere = [{ ...entries[0], uri: `http://localhost:${origin.port}/a` }]
    expect((await site.call('ingest', { entries: elsewhere, credentials: 'archive' })).status).toBe(422)
    expect((await site.call('ingest', { entries, credentials: '__proto__' })).status).toBe(422)
    await rm(directory, { recursive: true })
  })
})

describe('ingest reaches only what the settings name', () => {
  test('off unless hosts are named', async () => {
    await using site = await startSite({ hosts: [] })
    const answer = await site.call('ingest', {
      entries: [{ name: 'a', uri: 'http://127.0.0.1/a', checksum: sha256(Buffer.from('')) }],
    })
    expect(answer.status).toBe(409)
  })

  test.each([
    ['file:///etc/passwd', 'scheme'],
    ['ftp://127.0.0.1/a', 'scheme'],
    ['gopher://127.0.0.1/a', 'scheme'],
    ['/etc/passwd', 'scheme'],
    ['http://u:p@127.0.0.1/a', 'secrets'],
    ['http://127.0.0.1/a?X-Amz-Signature=abc&X-Amz-Credential=x', 'secrets'],
    ['http://127.0.0.1/a\r\nX: y', 'control'],
  ])('%s is refused when the job is made', async (uri, why) => {
    await using site = await startSite({})
    const answer = await site.call('ingest', { entries: [{ name: 'a', uri, checksum: sha256(Buffer.from('')) }] })
    expect(answer.status).toBe(422)
    expect(JSON.stringify(answer.body)).toContain(why)
    expect(await site.feature.jobs.open()).toEqual([])
  })

  /** Names as they would be looked up: every one of them leads inside. */
  const lookup: NonNullable<IngestFeatureOptions['tuning']>['lookup'] = (host, _, done) => {
    const found: Record<string, string> = {
      'inside.test': '10.0.0.7',
      'self.test': '127.0.0.1',
      'mapped.test': '::ffff:127.0.0.1',
      'nat.test': '64:ff9b::7f00:1',
      'meta.test': '169.254.169.254',
      'zero.test': '0.0.0.0',
    }
    const address = found[host] ?? '127.0.0.1'
    done(null, [{ address, family: address.includes(':') ? 6 : 4 }])
  }
  const all = [
    'inside.test',
    'self.test',
    'mapped.test',
    'nat.test',
    'meta.test',
    'zero.test',
    '127.0.0.1',
    '0.0.0.0',
    '[::1]',
    '::1',
  ]
  const inside = [
    ...all,
    '[::ffff:127.0.0.1]',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '169.254.169.254',
    'localhost.',
    '2130706433',
  ]

  test.each([
    'http://inside.test:PORT/',
    'http://self.test:PORT/',
    'http://mapped.test:PORT/',
    'http://nat.test:PORT/',
    'http://meta.test:PORT/',
    'http://zero.test:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://017700000001:PORT/',
    'http://127.0.0.1:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://169.254.169.254:PORT/latest/meta-data/',
    'http://localhost.:PORT/',
    // Not listed at all.
    'http://other.test:PORT/',
    // Another port.
    'http://self.test:1/',
  ])('%s is not connected to', async uri => {
    await using origin = await startOrigin(() => Buffer.from('secret'))
    await using site = await startSite({ ports: [origin.port], networks: [], hosts: inside }, { tuning: { lookup } })
    const { body } = await site.call('ingest', {
      entries: [
        { name: 'a', uri: uri.replace('PORT', String(origin.port)), size: 6, checksum: sha256(Buffer.from('secret')) },
      ],
    })
    await site.run(body.job_id)
    const { items } = await statusOf(site, body.job_id)
    expect(items).toMatchObject([
      { status: 'failed', reason: expect.stringMatching(/may be fetched|on this machine or a private network/) },
    ])
    expect(origin.requests).toHaveLength(0)
    expect(await site.world.store.stat('a')).toBeUndefined()
  })

  test.each([
    ['inside', 'http://inside.test:PORT/'],
    ['to a host that is not listed', 'http://unlisted.test:PORT/'],
    ['to an address', 'http://169.254.169.254:PORT/'],
    ['to another scheme', 'file:///etc/passwd'],
  ])('a redirect %s is not followed', async (_, to) => {
    const hits: string[] = []
    await using origin = await startOrigin((path, request, response) => {
      hits.push(`${request.headers.host}${path}`)
      response.writeHead(302, { location: to.replace('PORT', String(origin.port)) }).end()
      return undefined
    })
    const settings = {
      ports: [origin.port],
      networks: ['127.0.0.0/8'],
      hosts: ['self.test', 'inside.test', '169.254.169.254'],
    }
    await using site = await startSite(settings, { tuning: { lookup } })
    const { body } = await site.call('ingest', {
      entries: [
        { name: 'a', uri: `http://self.test:${origin.port}/x`, size: 6, checksum: sha256(Buffer.from('secret')) },
      ],
    })
    await site.run(body.job_id)
    expect((await statusOf(site, body.job_id)).items).toMatchObject([{ status: 'failed' }])
    expect(new Set(hits)).toEqual(new Set([`self.test:${origin.port}/x`]))
  })

  test('proxies of the environment are not asked', async () => {
    await using proxy = await startOrigin(() => Buffer.from('proxied'))
    const bytes = randomBytes(100)
    await using origin = await startOrigin(() => bytes)
    process.env.HTTP_PROXY = process.env.http_proxy = proxy.url
    try {
      await using site = await startSite({ ports: [origin.port] })
      const { body } = await site.call('ingest', {
        entries: [{ name: 'a', uri: `${origin.url}/a`, checksum: sha256(bytes) }],
      })
      await site.run(body.job_id)
      expect((await statusOf(site, body.job_id)).job).toMatchObject({ done: 1 })
      expect(proxy.requests).toHaveLength(0)
    } finally {
      delete process.env.HTTP_PROXY
      delete process.env.http_proxy
    }
  })
})

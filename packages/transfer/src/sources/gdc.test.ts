import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AddedGdcFile, faults, type Gdc as GdcServer, startGdc } from '../../test/commons-server.ts'
import { testData } from '../../test/data.ts'
import { startFaultServer } from '../../test/fault-server.ts'
import { failureOf, fetchBytes } from '../../test/fetch-bytes.ts'
import { listAll } from '../../test/list-suite.ts'
import { sourceContext } from '../../test/source-context.ts'
import { describeSource, expectSame } from '../../test/source-suite.ts'
import { Api } from '../commons/api.ts'
import { Gdc } from '../commons/gdc.ts'
import { download } from '../download.ts'
import { downloadAll } from '../download-all.ts'
import { createEngine, type Engine } from '../engine.ts'
import type { EntryResult } from '../results.ts'
import { GroupedSource } from './gdc/grouped-source.ts'
import { GdcGroups } from './gdc/groups.ts'
import { openGdcSource } from './gdc.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-gdc-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function subject(content: Uint8Array, open: (id: string, gdc: GdcServer) => Promise<SubjectSource>) {
  const gdc = await startGdc()
  const { id } = gdc.add({ content })
  const { source, close } = await open(id, gdc)
  return {
    source,
    change: (other: Uint8Array) => void gdc.add({ id, content: other }),
    remove: () => {
      gdc.fault(id, { status: 404 })
      gdc.fault('gdc-data', { status: 404 }, { only: ({ method }) => method === 'POST' })
    },
    [Symbol.asyncDispose]: async () => {
      await source.close()
      await close()
      await gdc.close()
    },
  }
}

type SubjectSource = { source: Awaited<ReturnType<typeof openGdcSource>>; close(): PromiseLike<void> }

const cannot = { versions: 'a file never changes; other content is another file' } as const

describeSource('openGdcSource()', {
  make: content =>
    subject(content, async (id, gdc) => {
      const context = sourceContext({ commons: { gdc: gdc.origin } })
      return { source: await openGdcSource(`gdc:${id}`, context), close: () => context[Symbol.asyncDispose]() }
    }),
  cannot,
})

describeSource('openGdcSource(), small files by archive', {
  make: content =>
    subject(content, async (id, server) => {
      const context = sourceContext()
      const { origins } = context
      const gdc = new Gdc({ api: new Api({ origins }), base: server.origin })
      const single = await context.open(gdc.dataUrl(id), {})
      const groups = new GdcGroups({ gdc, origins, least: 1, waitMs: 1 })
      const source = new GroupedSource({ id, size: content.length, groups, single, explain: error => error })
      return { source, close: () => context[Symbol.asyncDispose]() }
    }),
  cannot,
})

function dataRequests(gdc: GdcServer, method: 'GET' | 'POST') {
  return gdc.requestsFor('gdc-data').filter(request => request.method === method)
}

async function failing(file: { id: string }, gdc: GdcServer, more = {}) {
  return failureOf(download(`gdc:${file.id}`, join(directory, 'out'), { commons: { gdc: gdc.origin }, ...more }))
}

describe('gdc:', () => {
  test('fetches a file, and verifies what the GDC says', async () => {
    await using gdc = await startGdc()
    const file = gdc.add({ size: 3 << 20, name: 'a.bam' })
    const path = join(directory, 'a.bam')
    const { verification } = await download(`gdc:${file.id}`, path, { commons: { gdc: gdc.origin } })
    expectSame(await readFile(path), testData(3 << 20))
    expect(verification.checks).toContainEqual(expect.objectContaining({ algorithm: 'md5', outcome: 'match' }))
    expect(gdc.requestsFor('gdc-versions')).toHaveLength(0)
  })

  test('takes Content-MD5 in hex where nothing else is asked', async () => {
    await using gdc = await startGdc()
    const file = gdc.add({ size: 2 << 20 })
    gdc.fault(file.id, faults.wrongByte(5))
    const url = `${gdc.origin}/data/${file.id}`
    await expect(download(url, join(directory, 'out'))).rejects.toMatchObject({ code: 'ChecksumMismatch' })
  })

  test('finds wrong bytes, alone and in company', async () => {
    await using gdc = await startGdc()
    for (const size of [2 << 20, 1000]) {
      const error = await failing(gdc.add({ size, md5: '0'.repeat(32) }), gdc)
      expect(error).toMatchObject({ code: 'ChecksumMismatch', details: { algorithm: 'md5' } })
    }
    await using engine = createEngine()
    const files = [gdc.add({}), gdc.add({ md5: '0'.repeat(32) }), gdc.add({ size: 77 })]
    const results = await fetchAll(files, gdc, engine)
    expect(results.map(result => (result.ok ? 'ok' : (result.error as { code: string }).code))).toEqual([
      'ok',
      'ChecksumMismatch',
      'ok',
    ])
  })

  test('says what is the matter: unknown, controlled, a token that does not do', async () => {
    await using gdc = await startGdc()
    const unknown = '00000000-0000-0000-0000-000000000000'
    expect(await failing({ id: unknown }, gdc)).toMatchObject({
      code: 'NotFound',
      message: `Cannot find gdc:${unknown}: the GDC has no such file`,
    })
    const checksums = [`md5:${'0'.repeat(32)}`]
    expect(await failing({ id: unknown }, gdc, { size: 5, checksums })).toMatchObject({ code: 'NotFound' })
    const file = gdc.add({ access: 'controlled' })
    expect(await failing(file, gdc)).toMatchObject({
      code: 'Denied',
      message: `Cannot fetch gdc:${file.id}: it is controlled, and there is no token (the GDC answered 403)`,
      remedy: expect.stringContaining('--gdc-token'),
    })
    const error = await failing(file, gdc, { commons: { gdc: gdc.origin, gdcToken: 'made-up-token' } })
    expect(error).toMatchObject({ code: 'Denied', message: expect.stringContaining('the token does not open it') })
    expect(error.message).not.toContain('made-up')
  })

  test('sends the token to the GDC and to nobody else, and the credentials of the caller to neither', async () => {
    await using gdc = await startGdc()
    await using elsewhere = await startFaultServer()
    const seen: (string | undefined)[] = []
    elsewhere.resource('/there', {
      bytes: testData(5000),
      script: ({ headers }) => {
        seen.push(headers['x-auth-token'] as string | undefined, headers.authorization as string | undefined)
        return {}
      },
    })
    const file = gdc.add({ size: 5000, access: 'controlled' })
    gdc.fault(file.id, { location: elsewhere.url('/there') })
    const options = {
      commons: { gdc: gdc.origin, gdcToken: `${gdc.token}\n` },
      headers: { authorization: 'Bearer mine' },
    }
    await download(`gdc:${file.id}`, join(directory, 'a'), options)
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.every(value => value === undefined)).toBe(true)
    expect(gdc.requests.map(({ authKind }) => authKind)).not.toContain('bearer')
    expect(gdc.requestsFor('gdc-data')[0]?.authKind).toBe('x-auth-token')
  })

  test('lists what belongs to a file, also what the GDC names and does not have', async () => {
    await using gdc = await startGdc()
    const [index, metadata] = [gdc.add({ name: 'a.bam.bai', size: 7 }), gdc.add({ name: 'a.xml' })]
    const missing = '00000000-0000-0000-0000-000000000000'
    const file = gdc.add({ indexFiles: [index.id, missing], metadataFiles: [metadata.id, index.id] })
    await using context = sourceContext({ commons: { gdc: gdc.origin } })
    const listed = await listAll(await openGdcSource(`gdc:${file.id}/`, context), { isRecursive: true })
    expect([...listed].sort((a, b) => b.path.localeCompare(a.path))).toMatchObject([
      { uri: `gdc:${metadata.id}`, path: 'a.xml', size: 1000, checksums: [{ algorithm: 'md5', value: metadata.md5 }] },
      { uri: `gdc:${index.id}`, path: 'a.bam.bai', size: 7 },
      { uri: `gdc:${missing}`, path: missing, size: undefined },
    ])
    expect(await listAll(await openGdcSource(`gdc:${index.id}/`, context), { isRecursive: true })).toEqual([])
  })
})

/** As rows of a manifest: name, size and MD5 are known. */
async function fetchAll(files: readonly AddedGdcFile[], gdc: GdcServer, engine: Engine, more = {}) {
  const rows = files.map(({ id, name, size, md5 }, index) => ({
    ...{ index, id, uris: [`gdc:${id}`], path: name, size },
    checksums: [{ algorithm: 'md5', value: md5 } as const],
  }))
  const options = { engine, directory, commons: { gdc: gdc.origin }, resultOrder: 'manifest', ...more } as const
  const results: EntryResult[] = []
  for await (const result of downloadAll(rows, options)) results.push(result)
  return results
}

async function expectAll(files: readonly AddedGdcFile[], results: readonly EntryResult[], except: AddedGdcFile[] = []) {
  expect(results).toHaveLength(files.length)
  for (const [index, file] of files.entries()) {
    expect(results[index]?.ok).toBe(!except.includes(file))
    if (!except.includes(file)) expectSame(await readFile(join(directory, file.name)), testData(file.size))
  }
}

describe('small files', () => {
  test('travel together: 200 of them need few requests', async () => {
    await using gdc = await startGdc()
    await using engine = createEngine({ connections: 16 })
    const files = Array.from({ length: 200 }, () => gdc.add({ size: 10 << 10 }))
    await expectAll(files, await fetchAll(files, gdc, engine))
    expect(gdc.requestsFor('gdc-data').length).toBeLessThan(50)
    expect(gdc.requestsFor('gdc-files')).toHaveLength(0)
    expect(dataRequests(gdc, 'POST')[0]?.queryNames).toEqual(['tarfile'])
  })

  test('of any size up to 1 MiB come whole, large ones beside them by themselves', async () => {
    await using gdc = await startGdc()
    await using engine = createEngine()
    const sizes = [0, 1, 511, 512, 513, 100_000, 1 << 20, (1 << 20) + 1, 3 << 20]
    const long = `${'n'.repeat(90)}.txt`
    const files = sizes.map((size, index) => gdc.add({ size, name: index === 3 ? long : `f${index}` }))
    await expectAll(files, await fetchAll(files, gdc, engine))
    expect(dataRequests(gdc, 'GET').every(({ guid }) => guid === files[7]?.id || guid === files[8]?.id)).toBe(true)
  })

  test('with notices of superseded ones among them come as they are', async () => {
    await using gdc = await startGdc()
    await using engine = createEngine()
    const files = [gdc.add({ latestId: 'newer' }), gdc.add({ name: 'MANIFEST.txt' }), gdc.add({ latestId: null })]
    await expectAll(files, await fetchAll(files, gdc, engine))
    expect(dataRequests(gdc, 'GET')).toHaveLength(0)
    expect(gdc.requestsFor('gdc-versions')).toHaveLength(0)
  })

  test('one of them controlled: that one is denied, and the others come', async () => {
    await using gdc = await startGdc()
    await using engine = createEngine()
    const files = Array.from({ length: 8 }, (_, index) => gdc.add({ access: index === 3 ? 'controlled' : 'open' }))
    const results = await fetchAll(files, gdc, engine)
    await expectAll(files, results, [files[3] as AddedGdcFile])
    expect(results[3]).toMatchObject({ error: { code: 'Denied', message: expect.stringContaining('no token') } })
    const withToken = { commons: { gdc: gdc.origin, gdcToken: gdc.token }, ifExists: 'overwrite' }
    await using another = createEngine()
    await expectAll(files, await fetchAll(files, gdc, another, withToken))
  })

  const post = { only: ({ method }: { method: string }) => method === 'POST' }
  test.each([
    ['is cut in the middle of a file', faults.cut(512 + 5000)],
    ['is cut behind a file', faults.cut(512 + 10_240)],
    ['ends early, as if it were complete', { framing: 'close', truncateAfter: 7000 }],
    ['is a web page', faults.signInPage()],
    ['is not made there', { status: 405 }],
    ['does not come', { noAnswer: 'rst' }],
    ['lacks one', { body: Buffer.alloc(1024) }],
    ['is refused', { status: 403 }],
  ] as const)('come by themselves where an archive %s', async (_, fault) => {
    await using gdc = await startGdc()
    await using engine = createEngine()
    gdc.fault('gdc-data', fault, post)
    const files = Array.from({ length: 40 }, () => gdc.add({ size: 10_000 }))
    const results = await fetchAll(files, gdc, engine)
    await expectAll(files, results)
    // Not as a failure: nobody waited before asking again.
    expect(results.every(result => result.ok && result.result.retries === 0)).toBe(true)
  })

  test('are not asked for in archives any more where there are none', async () => {
    await using gdc = await startGdc()
    await using engine = createEngine()
    gdc.fault('gdc-data', { status: 405 }, post)
    const files = Array.from({ length: 200 }, () => gdc.add({ size: 100 }))
    await expectAll(files, await fetchAll(files, gdc, engine))
    expect(dataRequests(gdc, 'POST').length).toBeLessThan(8)
  })

  test('wait as long as the GDC asks for, and then come together', async () => {
    await using gdc = await startGdc()
    await using engine = createEngine()
    gdc.fault('gdc-data', faults.throttled(1), { times: 1 })
    const files = Array.from({ length: 10 }, () => gdc.add({ size: 100 }))
    const begunAt = performance.now()
    await expectAll(files, await fetchAll(files, gdc, engine))
    expect(performance.now() - begunAt).toBeGreaterThan(900)
    expect(gdc.requestsFor('gdc-data').length).toBeLessThan(8)
  })

  test('of the wrong size in an archive are looked at by themselves, and refused', async () => {
    await using gdc = await startGdc()
    await using engine = createEngine()
    const files = Array.from({ length: 4 }, () => gdc.add({ size: 100 }))
    const results = await fetchAll([{ ...(files[0] as AddedGdcFile), size: 99 }, ...files.slice(1)], gdc, engine)
    expect(results.map(({ ok }) => ok)).toEqual([false, true, true, true])
    expect(results[0]).toMatchObject({ error: { code: 'SizeMismatch' } })
  })
})

describe('GdcGroups', () => {
  async function opened(server: GdcServer) {
    const context = sourceContext()
    const { origins } = context
    const gdc = new Gdc({ api: new Api({ origins }), base: server.origin })
    const groups = new GdcGroups({ gdc, origins })
    const sourceOf = async ({ id, size }: AddedGdcFile) =>
      new GroupedSource({ id, size, groups, single: await context.open(gdc.dataUrl(id), {}), explain: error => error })
    return { groups, sourceOf, [Symbol.asyncDispose]: () => context[Symbol.asyncDispose]() }
  }

  const signal = new AbortController().signal

  test('asks at most for 64 files, and for 16 MiB, at once', async () => {
    await using server = await startGdc()
    await using open = await opened(server)
    const small = Array.from({ length: 130 }, () => server.add({ size: 10 }))
    const all = await Promise.all(small.map(({ id, size }) => open.groups.take(id, size, signal)))
    expect(all.every(bytes => bytes?.length === 10)).toBe(true)
    expect(dataRequests(server, 'POST')).toHaveLength(3)
    const large = Array.from({ length: 20 }, () => server.add({ size: 1 << 20 }))
    await Promise.all(large.map(({ id, size }) => open.groups.take(id, size, signal)))
    expect(dataRequests(server, 'POST')).toHaveLength(5)
  })

  test('lets one leave before and during an archive, and the others have theirs', async () => {
    await using server = await startGdc()
    await using open = await opened(server)
    server.fault('gdc-data', faults.slow(1_000_000))
    const files = Array.from({ length: 6 }, () => server.add({ size: 60_000 }))
    const reason = new Error('changed my mind')
    const aborts = files.map(() => new AbortController())
    const taking = files.map(({ id, size }, index) =>
      open.groups.take(id, size, aborts[index]!.signal).catch(error => error),
    )
    aborts[0]!.abort(reason)
    setTimeout(() => aborts[3]!.abort(reason), 100)
    const taken = await Promise.all(taking)
    expect([taken[0], taken[3]]).toEqual([reason, reason])
    for (const index of [1, 2, 4, 5]) expectSame(taken[index], testData(60_000))
    expect(dataRequests(server, 'POST')).toHaveLength(1)
  })

  test('ends the request when everybody has left', async () => {
    await using server = await startGdc()
    await using open = await opened(server)
    server.fault('gdc-data', faults.slow(100_000))
    const files = Array.from({ length: 4 }, () => server.add({ size: 1 << 20 }))
    const abort = new AbortController()
    const taking = files.map(({ id, size }) => open.groups.take(id, size, abort.signal).catch(() => 'left'))
    setTimeout(() => abort.abort(new Error('enough')), 200)
    expect(await Promise.all(taking)).toEqual(['left', 'left', 'left', 'left'])
    await expect.poll(() => dataRequests(server, 'POST')[0]?.endedAt, { timeout: 3000 }).toBeDefined()
  })

  test('does not let a landing without room hold up the others', async () => {
    await using server = await startGdc()
    await using open = await opened(server)
    const files = Array.from({ length: 3 }, () => server.add({ size: 500_000 }))
    const [full, ...others] = await Promise.all(files.map(open.sourceOf))
    const waiting = fetchBytes(full!, { room: 0, onLanding: landing => void landed.push(landing) })
    const landed: { give(count: number): void }[] = []
    const fetched = await Promise.all(others.map(source => fetchBytes(source)))
    for (const { bytes } of fetched) expectSame(bytes, testData(500_000))
    await expect.poll(() => landed.length).toBe(1)
    landed[0]?.give(500_000)
    expectSame((await waiting).bytes, testData(500_000))
    expect(server.requestsFor('gdc-data')).toHaveLength(1)
  })
})

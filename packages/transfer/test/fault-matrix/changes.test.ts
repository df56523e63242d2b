/** Fault matrix, retrieval 19: files that change while they are fetched, or between two runs. */
import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { download } from '../../src/index.ts'
import { faults, startFaultServer } from '../fault-server.ts'
import { leaveHalf } from './leave-half.ts'
import { dataOf, expectFile, expectSame, failing, MIB, namesIn, ODD, setUp, sha256, take, ways } from './setting.ts'

const partSize = MIB

describe.each(ways)('%s', way => {
  test('the file changes mid-transfer, same size, new ETag → ResourceChanged, nothing published', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: faults.after(5, { version: 1 }) })
    const error = await failing(way, url, setting, { partSize })
    expect(error.code).toBe('ResourceChanged')
    await setting.engine.close()
    expect(await namesIn(setting.directory)).toEqual([])
  })

  test('the file changes mid-transfer, same size and second, no ETag → caught by the checksum', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, etag: false, script: faults.after(5, { version: 1 }) })
    const error = await failing(way, url, setting, { partSize, checksums: [sha256(dataOf(ODD))] })
    expect(error.code).toBe('ChecksumMismatch')
    await setting.engine.close()
    expect(await namesIn(setting.directory)).toEqual([])
  })

  test('the file changes size mid-transfer → ResourceChanged', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const served = server.resource('/data', { size: ODD, etag: false })
    const script = (_: unknown, attempt: number) => {
      if (attempt === 5) served.change({ size: ODD + 1 })
      return undefined
    }
    served.change({ script })
    expect((await failing(way, served.url, setting, { partSize })).code).toBe('ResourceChanged')
  })

  test('a single stream is cut, and the file is another one when it is asked again → never spliced', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const cut = { ignoreRange: true, truncateAfter: 3 * MIB } as const
    const { url } = server.resource('/data', {
      size: ODD,
      script: (_, attempt) => (attempt === 1 ? cut : { ignoreRange: true, version: 1 }),
    })
    const taken = take(way, url, setting, { partSize }).catch((error: unknown) => error)
    const end = await taken
    // What was not handed on may be fetched anew, as the new version from end to end.
    if (end instanceof Error) expect(end).toMatchObject({ code: 'ResourceChanged' })
    else expectSame(end as Uint8Array, dataOf(ODD, 1))
  })

  test('an ETag per request, strict → an error that names the policy', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: faults.etagPerRequest() })
    const error = await failing(way, url, setting, { partSize })
    expect(error.code).toBe('ResourceChanged')
    expect(error.message).toContain('etagPolicy')
  })

  test.each(['size+mtime', 'ignore-if-checksum'] as const)(
    'an ETag per request, %s → correct by the checksum',
    async etagPolicy => {
      const setting = await setUp()
      await using server = await startFaultServer()
      const { url } = server.resource('/data', { size: ODD, script: faults.etagPerRequest() })
      const data = dataOf(ODD)
      expectSame(await take(way, url, setting, { partSize, etagPolicy, checksums: [sha256(data)] }), data)
    },
  )

  test('an ETag per request, ignore-if-checksum without any checksum → as strict as ever', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const { url } = server.resource('/data', { size: ODD, script: faults.etagPerRequest() })
    const error = await failing(way, url, setting, { partSize, etagPolicy: 'ignore-if-checksum' })
    expect(error.code).toBe('ResourceChanged')
  })

  test('an ETag per request, ignore-if-checksum, and the file does change → caught by the checksum', async () => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const script = faults.compose(faults.etagPerRequest(), faults.after(5, { version: 1 }))
    const { url } = server.resource('/data', { size: ODD, script })
    const checksums = [sha256(dataOf(ODD))]
    const error = await failing(way, url, setting, { partSize, etagPolicy: 'ignore-if-checksum', checksums })
    expect(error.code).toBe('ChecksumMismatch')
  })
})

test.each([
  ['a new ETag', {}],
  ['no ETag, another Last-Modified', { etag: false, lastModified: Date.UTC(2026, 0, 3) }],
  ['no validator at all', { etag: false, lastModified: false }],
] as const)(
  'the file changes between runs, same size, %s → resume refused, restarted, and an event says why',
  async (_, validators) => {
    const setting = await setUp()
    await using server = await startFaultServer()
    const served = server.resource('/data', {
      size: ODD,
      ...validators,
      ...('etag' in validators ? { lastModified: validators.lastModified && Date.UTC(2026, 0, 2) } : {}),
    })
    await leaveHalf(server, served, setting, { partSize })
    served.change({ version: 1, ...validators })
    const before = server.sent
    const result = await download(served.url, setting.path('data'), { engine: setting.engine, partSize })
    await expectFile(setting.path('data'), ODD, 1)
    expect(result.resumedBytes).toBe(0)
    expect(server.sent - before).toBeGreaterThanOrEqual(ODD)
    const restarted = setting.events.find(({ event }) => event === 'restarted')
    expect(restarted?.fields?.reason).toMatch(/entity tag|modified|proves/)
    await setting.engine.close()
    expect(await namesIn(setting.directory)).toEqual(['data'])
  },
)

test('the file changes between runs to another size → resume refused, the new file is right', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD })
  await leaveHalf(server, served, setting, { partSize })
  served.change({ size: ODD - 5 * MIB, etag: undefined })
  await download(served.url, setting.path('data'), { engine: setting.engine, partSize })
  await expectFile(setting.path('data'), ODD - 5 * MIB)
  expect(setting.eventNames()).toContain('restarted')
})

test('the file changes while a resumed run goes on → ResourceChanged, nothing published (D6)', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD })
  await leaveHalf(server, served, setting, { partSize })
  const { length } = served.requests
  served.change({ script: faults.after(length + 2, { version: 1 }) })
  await expect(
    download(served.url, setting.path('data'), { engine: setting.engine, partSize, concurrency: 1 }),
  ).rejects.toMatchObject({ code: 'ResourceChanged' })
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual([])
})

test('a weak ETag or none: resumed only because a checksum will tell', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD, etag: false, lastModified: false })
  const checksums = [sha256(dataOf(ODD))]
  await leaveHalf(server, served, setting, { partSize, checksums })
  const result = await download(served.url, setting.path('data'), { engine: setting.engine, partSize, checksums })
  await expectFile(setting.path('data'), ODD)
  expect(result.resumedBytes).toBeGreaterThan(0)
  expect(result.verification.proof).toBe('checksum')
})

test('a checksum tells that what was resumed was of another version → fetched again, and right', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const served = server.resource('/data', { size: ODD, etag: false, lastModified: false })
  const checksums = [sha256(dataOf(ODD, 1))]
  await leaveHalf(server, served, setting, { partSize, checksums })
  served.change({ version: 1 })
  await download(served.url, setting.path('data'), { engine: setting.engine, partSize, checksums })
  await expectFile(setting.path('data'), ODD, 1)
})

test('somebody else’s NAME.part is neither used nor touched', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD })
  await writeFile(setting.path('data.part'), 'not ours')
  await download(url, setting.path('data'), { engine: setting.engine, partSize })
  await expectFile(setting.path('data'), ODD)
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['data', 'data.part'])
})

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AddedGdcFile, faults, GDC_MANIFEST_HEADER, type Gdc, startGdc } from '../test/commons-server.ts'
import { testData } from '../test/data.ts'
import { expectSame } from '../test/source-suite.ts'
import { downloadManifest } from './download-manifest.ts'
import type { Outcome } from './manifest/outcome.ts'
import { parseManifest } from './manifest/parse-manifest.ts'
import type { DownloadManifestOptions } from './manifest/run.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-related-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function run(files: readonly AddedGdcFile[], gdc: Gdc, more: DownloadManifestOptions = {}): Promise<Outcome[]> {
  const text = [GDC_MANIFEST_HEADER, ...files.map(({ row }) => row)].join('\n')
  const rows = parseManifest(
    (async function* () {
      yield Buffer.from(text)
    })(),
  )
  const outcomes: Outcome[] = []
  const options = { directory: join(directory, 'data'), commons: { gdc: gdc.origin }, ...more }
  for await (const { outcome } of downloadManifest(rows, options)) outcomes.push(outcome)
  return outcomes
}

async function files(): Promise<string[]> {
  const found = await readdir(join(directory, 'data'), { recursive: true, withFileTypes: true })
  const base = join(directory, 'data')
  return found
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(base.length + 1))
    .sort()
}

function sample(gdc: Gdc) {
  const index = gdc.add({ name: 'a.bam.bai', size: 300 })
  const metadata = gdc.add({ name: 'a.xml', size: 70 })
  const bam = gdc.add({ name: 'a.bam', size: 5000, indexFiles: [index.id], metadataFiles: [metadata.id] })
  return { bam, index, metadata, other: gdc.add({ name: 'b.txt', size: 10 }) }
}

describe('files that belong to one of the GDC', () => {
  test('come beside it, verified, in rows of its index with ids of their own', async () => {
    await using gdc = await startGdc()
    const { bam, index, metadata, other } = sample(gdc)
    const outcomes = await run([other, bam], gdc)
    expect(await files()).toEqual(['a.bam', 'a.bam.bai', 'a.xml', 'b.txt'])
    expectSame(await readFile(join(directory, 'data', 'a.bam.bai')), testData(300))
    const told = outcomes.map(({ index, object_id, status, verified }) => [index, object_id, status, verified])
    expect(new Set(told)).toEqual(
      new Set([
        [0, other.id, 'downloaded', true],
        [1, bam.id, 'downloaded', true],
        [1, index.id, 'downloaded', true],
        [1, metadata.id, 'downloaded', true],
      ]),
    )
    expect(outcomes).toHaveLength(4)
  })

  test.each([
    ['tree', (bam: string) => [`${bam}/a.bam`, `${bam}/a.bam.bai`, `${bam}/a.xml`]],
    ['combined', (bam: string) => [`${bam}_a.bam`, 'a.bam.bai', 'a.xml']],
    ['x/{stem}/{index}{ext}', () => ['x/a/1.bam', 'x/a/a.bam.bai', 'x/a/a.xml']],
  ])('go into the directory of the file under the layout %s', async (layout, expected) => {
    await using gdc = await startGdc()
    const { bam } = sample(gdc)
    await run([bam], gdc, { layout })
    expect(await files()).toEqual(expected(bam.id).sort())
  })

  test('stay away if they are not wanted, and with them the questions', async () => {
    await using gdc = await startGdc()
    const { bam } = sample(gdc)
    await run([bam], gdc, { commons: async () => ({ gdc: gdc.origin, hasRelatedFiles: false }) })
    expect(await files()).toEqual(['a.bam'])
    expect(gdc.requestsFor('gdc-files')).toHaveLength(0)
  })

  test('are fetched once when they are rows themselves, or belong to two files', async () => {
    await using gdc = await startGdc()
    const shared = gdc.add({ name: 'shared.xml', size: 9 })
    const index = gdc.add({ name: 'a.bai', size: 9 })
    const [a, b] = ['a', 'b'].map(name =>
      gdc.add({ name, size: 99, metadataFiles: [shared.id], indexFiles: [index.id] }),
    ) as [AddedGdcFile, AddedGdcFile]
    const outcomes = await run([a, index, b], gdc, { layout: 'tree' })
    expect(await files()).toEqual(
      [`${a.id}/a`, `${b.id}/b`, `${index.id}/a.bai`].concat(await whereIs('shared.xml')).sort(),
    )
    expect(await whereIs('shared.xml')).toHaveLength(1)
    expect(outcomes.filter(({ status }) => status === 'duplicate')).toHaveLength(3)
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
  })

  async function whereIs(name: string): Promise<string[]> {
    return (await files()).filter(path => path.endsWith(name))
  }

  test('are completed by a second run where the first had ended before them, and passed over by a third', async () => {
    await using gdc = await startGdc()
    const { bam } = sample(gdc)
    const state = join(directory, 'proven')
    await run([bam], gdc, { state, commons: { gdc: gdc.origin, hasRelatedFiles: false } })
    const second = await run([bam], gdc, { state })
    expect(second.map(({ status }) => status)).toEqual(['skipped_complete', 'downloaded', 'downloaded'])
    const requests = gdc.requestsFor('gdc-data').length
    const third = await run([bam], gdc, { state })
    expect(third.map(({ status }) => status)).toEqual(Array(3).fill('skipped_complete'))
    expect(gdc.requestsFor('gdc-data')).toHaveLength(requests)
  })

  test('are told where they fail: one that is controlled, and one that does not exist', async () => {
    await using gdc = await startGdc()
    const secret = gdc.add({ access: 'controlled', name: 'secret.xml' })
    const gone = '00000000-0000-0000-0000-000000000000'
    const bam = gdc.add({ name: 'a.bam', indexFiles: [gone], metadataFiles: [secret.id] })
    const outcomes = await run([bam], gdc)
    expect(Object.fromEntries(outcomes.map(({ object_id, status }) => [object_id, status]))).toEqual({
      [bam.id]: 'downloaded',
      [secret.id]: 'denied',
      [gone]: 'not_found',
    })
  })

  test('that cannot be learnt of are a failure, and their file is in place', async () => {
    await using gdc = await startGdc()
    const { bam, other } = sample(gdc)
    gdc.fault('gdc-files', faults.htmlPage(400), {})
    const outcomes = await run([bam, other], gdc)
    expect(await files()).toEqual(['a.bam', 'b.txt'])
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2)
    expect(outcomes.filter(({ ok }) => !ok)).toMatchObject([
      { index: 0, object_id: bam.id, error: expect.stringContaining('Cannot ask the GDC for files') },
      { index: 1, object_id: other.id },
    ])
  })

  test('with names that lead elsewhere are refused', async () => {
    await using gdc = await startGdc()
    const evil = gdc.add({ name: '../../evil' })
    const outcomes = await run([gdc.add({ name: 'a', indexFiles: [evil.id] })], gdc)
    expect(outcomes.map(({ status }) => status)).toEqual(['downloaded', 'unsafe_name'])
    expect(await files()).toEqual(['a'])
  })

  test('are asked for many at once', async () => {
    await using gdc = await startGdc()
    const rows = Array.from({ length: 150 }, (_, at) =>
      gdc.add({ name: `f${at}`, size: 10, indexFiles: [gdc.add({ name: `f${at}.bai`, size: 5 }).id] }),
    )
    const outcomes = await run(rows, gdc)
    expect(outcomes.filter(({ status }) => status === 'downloaded')).toHaveLength(300)
    expect(gdc.requestsFor('gdc-files').length).toBeLessThan(10)
  })
})

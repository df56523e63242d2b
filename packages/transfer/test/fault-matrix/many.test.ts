/** Fault matrix, retrieval 19: many files, little memory, slow consumers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { partsOf } from '../../src/engine.ts'
import { download, downloadAll, iterate, iterateUnordered, open } from '../../src/index.ts'
import { faults, startFaultServer } from '../fault-server.ts'
import { forkServer } from './programs.ts'
import { dataOf, expectFile, expectSame, KIB, MIB, namesIn, ODD, seedOfRun, setUp } from './setting.ts'

/** Bytes of the heap that are in use, after all garbage is gone. */
function liveHeap(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

test('20,000 files of 1 KiB → bounded memory, connection reuse above 99 %', { timeout: 60_000 }, async () => {
  // The setting keeps every event: those of 20,000 files are not the engine's memory.
  const setting = await setUp({ onEvent: undefined })
  const server = await forkServer(KIB)
  const count = 20_000
  function* entries() {
    for (let index = 0; index < count; index++) {
      yield { index, uris: [`${server.origin}/${index}`], checksums: [], path: `${index % 20}/${index}` }
    }
  }
  const before = process.memoryUsage().rss
  let peak = 0
  let early = 0
  let late = 0
  let good = 0
  const run = downloadAll(entries(), { engine: setting.engine, directory: setting.directory })
  for await (const item of run) {
    if (item.ok) good++
    // Without its garbage: how much of that there is depends on how busy the machine is.
    if (good % 1000 === 0) {
      liveHeap()
      peak = Math.max(peak, process.memoryUsage().rss)
    }
    if (good === 5000) early = liveHeap()
    if (good === count - 500) late = liveHeap()
  }
  expect(good).toBe(count)
  expect(await run.summary).toMatchObject({ files: count, downloaded: count, failed: 0, bytes: count * KIB })
  expect(peak - before).toBeLessThan(300 * MIB)
  // What stays per file is its name, so that no second one takes it.
  expect(late - early).toBeLessThan((count - 5000) * 500)
  const { connections, requests } = await server.report()
  expect(requests).toBeLessThanOrEqual(1.001 * count)
  expect(1 - connections / requests).toBeGreaterThan(0.99)
  for (const index of [0, 1, 9999, count - 1]) await expectFile(setting.path(`${index % 20}/${index}`), KIB)
  await setting.engine.close()
  expect((await namesIn(setting.directory)).length).toBe(count + 20)
})

test('some of many files fail in every way → each is reported once, the others are right, nothing else is left', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const seed = seedOfRun()
  const kinds = [undefined, { status: 404 }, { status: 403 }, faults.truncatesAtRandom(0.3, seed), undefined]
  const urls = Array.from({ length: 200 }, (_, index) => {
    return server.resource(`/${index}`, { size: 5000 + index, script: kinds[index % kinds.length] }).url
  })
  const failed: number[] = []
  for await (const item of downloadAll(urls, { ...setting, retries: 20 })) {
    if (!item.ok) failed.push(item.entry.index)
  }
  const expected = urls.map((_, index) => index).filter(index => [1, 2].includes(index % kinds.length))
  expect(failed.sort((a, b) => a - b)).toEqual(expected)
  await setting.engine.close()
  expect((await namesIn(setting.directory)).length).toBe(urls.length - expected.length)
  for (const index of [0, 3, 4, 198]) await expectFile(setting.path(String(index)), 5000 + index)
})

test('slow consumer, ordered, tiny budget → no deadlock, memory within the budget', async () => {
  const memoryBudget = 2 * MIB
  const setting = await setUp({ memoryBudget })
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD })
  const { slots } = partsOf(setting.engine)
  const data = dataOf(ODD)
  let at = 0
  for await (const piece of iterate(url, { engine: setting.engine, partSize: 256 * KIB })) {
    expectSame(piece, data.subarray(at, at + piece.length))
    at += piece.length
    expect(slots.reserved).toBeLessThanOrEqual(memoryBudget)
    await sleep(5)
  }
  expect(at).toBe(ODD)
  expect(slots.reserved).toBe(0)
})

test('three slow ordered consumers and a download in one tiny budget → all of them end, and are right', async () => {
  const memoryBudget = 2 * MIB
  const setting = await setUp({ memoryBudget })
  const { engine } = setting
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD })
  const data = dataOf(ODD)
  const read = async (ms: number) => {
    let at = 0
    for await (const piece of iterate(url, { engine, partSize: 256 * KIB })) {
      expectSame(piece, data.subarray(at, at + piece.length))
      at += piece.length
      await sleep(ms)
    }
    expect(at).toBe(ODD)
  }
  const whole = download(url, setting.path('data'), { engine })
  await Promise.all([read(1), read(5), read(10), whole])
  await expectFile(setting.path('data'), ODD)
  expect(partsOf(engine).slots.reserved).toBe(0)
})

test('a slow consumer of one stream without ranges, tiny budget → no deadlock', async () => {
  const setting = await setUp({ memoryBudget: MIB })
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD, script: faults.chunked() })
  const data = dataOf(ODD)
  let at = 0
  for await (const piece of iterate(url, { engine: setting.engine })) {
    expectSame(piece, data.subarray(at, at + piece.length))
    at += piece.length
    await sleep(5)
  }
  expect(at).toBe(ODD)
})

test('files between the memory budget and 8 MiB → right, although they do not come in one piece', async () => {
  const setting = await setUp({ memoryBudget: MIB })
  await using server = await startFaultServer()
  const sizes = [MIB - 1, MIB, MIB + 1, 3 * MIB, 8 * MIB]
  const urls = sizes.map(size => server.resource(`/${size}`, { size }).url)
  for await (const item of downloadAll(urls, { ...setting })) expect(item).toMatchObject({ ok: true })
  for (const size of sizes) await expectFile(setting.path(String(size)), size)
})

test('a consumer that leaves early cancels what is under way at once', async () => {
  const setting = await setUp()
  await using server = await startFaultServer({ bytesPerSecond: 16 * MIB })
  const { url } = server.resource('/data', { size: 256 * MIB })
  for await (const _ of iterate(url, { engine: setting.engine, partSize: MIB })) break
  const { sent } = server
  await sleep(300)
  expect(server.sent - sent).toBeLessThan(MIB)
  expect(partsOf(setting.engine).slots.reserved).toBe(0)
  expect(partsOf(setting.engine).limits.inUse).toBe(0)
})

test('unordered: every byte exactly once, with its offset', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: ODD, script: faults.truncatesAtRandom(0.2, seedOfRun()) })
  const data = dataOf(ODD)
  const seen = new Set<number>()
  let total = 0
  for await (const piece of iterateUnordered(url, { engine: setting.engine, partSize: MIB, retries: 20 })) {
    expect(seen.has(piece.index)).toBe(false)
    seen.add(piece.index)
    expectSame(piece.data, data.subarray(piece.offset, piece.offset + piece.data.length))
    total += piece.data.length
  }
  expect(total).toBe(ODD)
})

test('a reader that takes a few bytes at a time', async () => {
  const setting = await setUp()
  await using server = await startFaultServer()
  const { url } = server.resource('/data', { size: 3 * MIB + 1 })
  await using reader = await open(url, { engine: setting.engine, partSize: MIB })
  expect(reader.size).toBe(3 * MIB + 1)
  const data = dataOf(3 * MIB + 1)
  const bytes = new Uint8Array(1000)
  expect(await reader.readInto(bytes)).toBe(1000)
  expectSame(bytes, data.subarray(0, 1000))
  let at = 1000
  for (let piece = await reader.read(70_001); piece; piece = await reader.read(70_001)) {
    expectSame(piece, data.subarray(at, at + piece.length))
    at += piece.length
  }
  expect(at).toBe(data.length)
})

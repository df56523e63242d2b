/** Fault matrix, retrieval 19: what servers answer to a range, and where the ends of a file lie. */
import { readFile, stat } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { download, iterate, probe, readAll } from '../../src/index.ts'
import { patternContent } from '../fault-server/content.ts'
import { type FaultServer, faults, type ResourceOptions, startFaultServer } from '../fault-server.ts'
import { dataOf, expectFile, expectSame, failing, KIB, MIB, namesIn, ODD, setUp, take, ways } from './setting.ts'

const partSize = MIB

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

async function serve(size: number, options: ResourceOptions = {}): Promise<{ server: FaultServer; url: string }> {
  const server = await startFaultServer()
  return { server, url: server.resource('/data', { size, ...options }).url }
}

describe.each(ways)('%s', way => {
  test('a server that ignores Range (always 200) → the correct file by one stream', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: faults.ignoresRange() })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    expect(server.requests).toHaveLength(1)
    expect(server.sent).toBe(ODD)
    await server.close()
  })

  test('a server that ignores Range only for a > 0 → the correct file, by falling back', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: faults.ignoresRange('tail') })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    // Each part may be on its way when the first answer says so, and then there is one stream; no part is asked for twice.
    expect(server.requests.length).toBeLessThanOrEqual(Math.ceil(ODD / partSize) + 1)
    await server.close()
  })

  test.each([
    ['shifted by one', faults.shiftedRange(1)],
    ['wider by one', faults.widerRange(1)],
  ])('206 %s, in every other answer → rejected, and correct in the end', async (_, behaviour) => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, {
      script: (request, attempt) => (request.rangeAttempt > 1 || attempt % 2 === 1 ? undefined : behaviour),
    })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    await server.close()
  })

  test('206 with a wrong total after a right one → ResourceChanged', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, {
      script: faults.sequence(undefined, undefined, faults.wrongTotal(ODD + 1)),
    })
    const error = await failing(way, url, setting, { partSize })
    expect(error.code).toBe('ResourceChanged')
    await server.close()
  })

  test.each([
    ['shifted by one', faults.shiftedRange(1), 'Protocol'],
    ['wider by one', faults.widerRange(1), 'Protocol'],
    ['with a wrong total', faults.wrongTotal(ODD + 1), 'Protocol'],
  ] as const)('206 %s, always → an error, and nothing under the final name', async (_, script, code) => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script })
    const error = await failing(way, url, setting, { partSize, retries: 1 })
    expect(error.code).toBe(code)
    expect(server.requests.length).toBeLessThan(60)
    await server.close()
  })

  test('206 shorter than asked but legal → completed', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: faults.shorterRange(300 * KIB) })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    expect(server.sent).toBe(ODD)
    expect(server.requests.length).toBeLessThanOrEqual(5 * Math.ceil(ODD / partSize))
    await server.close()
  })

  test('416 on an empty file → an empty file', async () => {
    const setting = await setUp()
    const { server, url } = await serve(0, { script: faults.unsatisfiable(0) })
    expectSame(await take(way, url, setting), new Uint8Array(0))
    await server.close()
  })

  test('416 at the exact end of the file → complete, with nothing more', async () => {
    const setting = await setUp()
    const { server, url } = await serve(1000)
    expectSame(await take(way, url, setting, { range: { start: 1000, end: 2000 } }), new Uint8Array(0))
    expect(server.requests[0]?.status).toBe(416)
    await server.close()
  })

  test.each([0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 2 * partSize + 1])(
    'size %i with parts of 1 MiB → correct offsets, every byte sent once',
    async size => {
      const setting = await setUp()
      const { server, url } = await serve(size)
      expectSame(await take(way, url, setting, { partSize }), dataOf(size))
      expect(sum(server.requests.map(({ status, sent }) => (status === 206 ? sent : 0)))).toBe(size)
      await server.close()
    },
  )

  test('a range above 2^32 of a sparse file → correct offsets', async () => {
    const setting = await setUp()
    const size = 2 ** 32 + 3 * MIB + 17
    const { server, url } = await serve(size)
    const range = { start: 2 ** 32 - MIB - 5, end: 2 ** 32 + 2 * MIB + 3 }
    const bytes = await take(way, url, setting, { partSize, range })
    expect(bytes.length).toBe(range.end - range.start)
    const content = patternContent(size)
    for (let at = 0; at < bytes.length; ) {
      const piece = content.piece(range.start + at, bytes.length - at)
      expect(Buffer.compare(bytes.subarray(at, at + piece.length), piece)).toBe(0)
      at += piece.length
    }
    await server.close()
  })

  test('the last bytes of a file larger than 2^33, by a range that goes beyond its end', async () => {
    const setting = await setUp()
    const size = 2 ** 33 + 12_345
    const { server, url } = await serve(size)
    const bytes = await take(way, url, setting, { range: { start: size - 1000, end: size + 1000 } })
    expect(bytes.length).toBe(1000)
    expectSame(bytes.subarray(0, 1), patternContent(size).piece(size - 1000, 1))
    await server.close()
  })
})

test('HEAD is not needed: a download asks by GET alone', async () => {
  const setting = await setUp()
  const { server, url } = await serve(ODD, { script: faults.refusesHead(403) })
  await download(url, setting.path('data'), { engine: setting.engine, partSize })
  await expectFile(setting.path('data'), ODD)
  expect(server.requests.every(({ method }) => method === 'GET')).toBe(true)
  await server.close()
})

test.each([403, 405, 501])('HEAD %i, GET fine (signed for GET only) → probe works', async status => {
  const setting = await setUp()
  const { server, url } = await serve(ODD, { script: faults.refusesHead(status) })
  const resource = await probe(url, { engine: setting.engine })
  expect(resource).toMatchObject({ size: ODD, ranges: 'yes' })
  expect(server.sent).toBeLessThanOrEqual(1)
  await server.close()
})

test('an empty file leaves an empty file, and nothing else, under its name', async () => {
  const setting = await setUp()
  const { server, url } = await serve(0)
  const { bytes, verification } = await download(url, setting.path('data'), { engine: setting.engine })
  expect(bytes).toBe(0)
  expect(verification).toMatchObject({ size: 0, lengthVerified: true })
  expect((await stat(setting.path('data'))).size).toBe(0)
  await setting.engine.close()
  expect(await namesIn(setting.directory)).toEqual(['data'])
  await server.close()
})

test('a file is never longer than its data, although parts are written in any order', async () => {
  const setting = await setUp()
  const { server, url } = await serve(ODD)
  await download(url, setting.path('data'), { engine: setting.engine, partSize, concurrency: 8 })
  expectSame(await readFile(setting.path('data')), dataOf(ODD))
  await server.close()
})

test('pieces of an unordered or ordered iteration cover a file larger than the memory budget', async () => {
  const setting = await setUp({ memoryBudget: 4 * MIB })
  const size = 40 * MIB + 1
  const { server, url } = await serve(size)
  let at = 0
  const content = patternContent(size)
  for await (const piece of iterate(url, { engine: setting.engine })) {
    for (let done = 0; done < piece.length; ) {
      const expected = content.piece(at + done, piece.length - done)
      if (Buffer.compare(piece.subarray(done, done + expected.length), expected) !== 0) expect.fail(`wrong at ${at}`)
      done += expected.length
    }
    at += piece.length
  }
  expect(at).toBe(size)
  await server.close()
})

test('a range inside one part brings exactly its bytes', async () => {
  const setting = await setUp()
  const { server, url } = await serve(ODD)
  const bytes = await readAll(url, { engine: setting.engine, range: { start: 5, end: 9 } })
  expectSame(bytes, dataOf(ODD).subarray(5, 9))
  expect(server.sent).toBe(4)
  await server.close()
})

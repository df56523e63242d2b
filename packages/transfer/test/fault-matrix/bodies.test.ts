/** Fault matrix, retrieval 19: bodies that are cut, too long, without a length, or in a coding that nobody asked for. */
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { download, readAll } from '../../src/index.ts'
import { type FaultServer, faults, type ResourceOptions, startFaultServer } from '../fault-server.ts'
import { dataOf, expectSame, failing, KIB, MIB, namesIn, ODD, seedOfRun, setUp, sha256, take, ways } from './setting.ts'

const partSize = MIB

async function serve(
  size: number,
  options: ResourceOptions = {},
  name = '/data',
): Promise<{ server: FaultServer; url: string }> {
  const server = await startFaultServer({ seed: seedOfRun() })
  return { server, url: server.resource(name, { size, ...options }).url }
}

describe.each(ways)('%s', way => {
  test.each(['fin', 'rst'] as const)(
    'bodies cut at random, closed by %s → correct after remainder requests',
    async ending => {
      const setting = await setUp()
      const seed = seedOfRun()
      const { server, url } = await serve(ODD, { script: faults.truncatesAtRandom(0.3, seed, ending) })
      expectSame(await take(way, url, setting, { partSize, retries: 20 }), dataOf(ODD))
      const parts = Math.ceil(ODD / partSize)
      expect(server.requests.length).toBeLessThan(5 * parts)
      if (ending === 'fin') expect(server.sent).toBe(ODD)
      await server.close()
    },
  )

  test('one byte too many behind every part → the connection is dropped, the bytes are correct', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: { extraBytes: 1 } })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    // The byte may be seen only when the next answer is read: that request is put again elsewhere.
    expect(server.connections.every(({ requests }) => requests <= 2)).toBe(true)
    await server.close()
  })

  test('one byte too many in a single stream → the connection is dropped, the bytes are correct', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: { ignoreRange: true, extraBytes: 1 } })
    expectSame(await take(way, url, setting), dataOf(ODD))
    expect(server.requests.length).toBeLessThanOrEqual(2)
    await server.close()
  })

  test('chunked, no length → works', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: faults.chunked() })
    expectSame(await take(way, url, setting), dataOf(ODD))
    expect(server.requests).toHaveLength(1)
    await server.close()
  })

  test('chunked without its terminator → an error, bounded in requests', async () => {
    const setting = await setUp()
    const { server, url } = await serve(300 * KIB, { script: faults.chunked({ isTerminated: false }), etag: false })
    const error = await failing(way, url, setting, { retries: 1 })
    expect(error.code).toBe('Network')
    expect(server.requests.length).toBeLessThanOrEqual(6)
    await server.close()
  })

  test('chunked, cut once in the middle → correct, because the second answer is of the same strong ETag', async () => {
    const setting = await setUp()
    const cut = { ...faults.chunked(), truncateAfter: 2 * MIB }
    const { server, url } = await serve(ODD, { script: faults.sequence(cut, faults.chunked()) })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    expect(server.requests).toHaveLength(2)
    await server.close()
  })

  test('HTTP/1.0 close-delimited, nothing known of it → fails as unverifiable', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: faults.closeDelimited() })
    expect((await failing(way, url, setting)).code).toBe('Unverifiable')
    await server.close()
  })

  test('HTTP/1.0 close-delimited, with a checksum, a size or allowUnverifiedLength → works', async () => {
    const data = dataOf(ODD)
    for (const proof of [{ checksums: [sha256(data)] }, { size: ODD }, { allowUnverifiedLength: true }]) {
      const setting = await setUp()
      const { server, url } = await serve(ODD, { script: faults.closeDelimited() })
      expectSame(await take(way, url, setting, proof), data)
      await server.close()
    }
  })

  test('HTTP/1.0 close-delimited and cut → an error with a checksum or a size', async () => {
    for (const proof of [{ checksums: [sha256(dataOf(ODD))] }, { size: ODD }]) {
      const setting = await setUp()
      const script = { ...faults.closeDelimited(), truncateAfter: ODD - 1 }
      const { server, url } = await serve(ODD, { script })
      const error = await failing(way, url, setting, { ...proof, retries: 1 })
      expect(error.code).toMatch(/^(ChecksumMismatch|SizeMismatch|Network|Protocol)$/)
      await server.close()
    }
  })

  test('gzip although identity was asked → decoded, and held to the checksum of the decoded bytes', async () => {
    const setting = await setUp()
    const data = dataOf(ODD)
    const { server, url } = await serve(ODD, { script: { gzip: true } })
    expectSame(await take(way, url, setting, { checksums: [sha256(data)] }), data)
    await server.close()
  })

  test('gzip although identity was asked, with keepEncoding → the bytes as they were sent', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: { gzip: true } })
    expectSame(await take(way, url, setting, { keepEncoding: true }), gzipSync(dataOf(ODD)))
    await server.close()
  })

  test('gzip although identity was asked, wrong checksum → ChecksumMismatch', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: { gzip: true } })
    const error = await failing(way, url, setting, { checksums: [sha256(dataOf(ODD - 1))] })
    expect(error.code).toBe('ChecksumMismatch')
    await server.close()
  })

  test('gzip cut short → an error, never the part that could be decoded', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: { gzip: true, framing: 'close', truncateAfter: 20 * KIB } })
    const error = await failing(way, url, setting, { retries: 1, allowUnverifiedLength: true })
    expect(error.code).toMatch(/^(Protocol|Network)$/)
    await server.close()
  })

  test('gzip only without Range → the stored bytes, in parts', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, {
      script: faults.only(request => request.range === undefined, { gzip: true }),
    })
    expectSame(await take(way, url, setting, { partSize }), dataOf(ODD))
    await server.close()
  })

  test('a .gz served with Content-Encoding gzip, without a checksum → AmbiguousEncoding, not a guess', async () => {
    const setting = await setUp()
    const bytes = gzipSync(dataOf(ODD))
    const headers = { 'Content-Encoding': 'gzip' }
    const { server, url } = await serve(0, { bytes, headers, script: { ignoreRange: true } }, '/data.gz')
    expect((await failing(way, url, setting)).code).toBe('AmbiguousEncoding')
    expectSame(await take(way, url, setting, { keepEncoding: true }), bytes)
    await server.close()
  })

  test('wrong checksum given → ChecksumMismatch, nothing under the final name', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD)
    const error = await failing(way, url, setting, { partSize, checksums: [sha256(dataOf(ODD, 1))] })
    expect(error.code).toBe('ChecksumMismatch')
    expect(error.details).toMatchObject({ algorithm: 'sha256', actual: sha256(dataOf(ODD)).slice(7) })
    expect(server.sent).toBeLessThanOrEqual(2 * ODD)
    await setting.engine.close()
    expect(await namesIn(setting.directory)).toEqual([])
    await server.close()
  })

  test('a byte flipped in transit, once, right length → found by the checksum and fetched again', async () => {
    const setting = await setUp()
    const data = dataOf(ODD)
    const { server, url } = await serve(ODD, {
      script: request => (request.rangeAttempt === 1 ? { flip: [7 * MIB + 3] } : undefined),
    })
    const taking = take(way, url, setting, { partSize, checksums: [sha256(data)] })
    // What a consumer has seen cannot be taken back: its iteration ends with the error.
    if (way === 'iterate') await expect(taking).rejects.toMatchObject({ code: 'ChecksumMismatch' })
    else expectSame(await taking, data)
    expect(server.sent).toBeLessThanOrEqual(2 * ODD)
    await server.close()
  })

  test('a page for people instead of data, with a size or checksum known → an error', async () => {
    const setting = await setUp()
    const { server, url } = await serve(ODD, { script: faults.htmlPage() })
    expect((await failing(way, url, setting, { size: ODD })).code).toBe('SizeMismatch')
    const byDigest = await failing(way, url, setting, { checksums: [sha256(dataOf(ODD))] })
    expect(byDigest.code).toBe('ChecksumMismatch')
    await server.close()
  })
})

test('the result of a close-delimited body that was allowed says that its length is not verified', async () => {
  const setting = await setUp()
  const { server, url } = await serve(ODD, { script: faults.closeDelimited() })
  const { engine } = setting
  const { verification } = await download(url, setting.path('data'), { engine, allowUnverifiedLength: true })
  expect(verification).toMatchObject({ lengthVerified: false, proof: 'none' })
  await server.close()
})

test('a .gz served with Content-Encoding gzip is stored as it is when its checksum matches the stored bytes', async () => {
  const setting = await setUp()
  const bytes = gzipSync(dataOf(ODD))
  const headers = { 'Content-Encoding': 'gzip' }
  const { server, url } = await serve(0, { bytes, headers, script: { ignoreRange: true } }, '/data.gz')
  const { engine } = setting
  await download(url, setting.path('data.gz'), { engine, checksums: [sha256(bytes)] })
  expectSame(await readFile(setting.path('data.gz')), bytes)
  expectSame(await readAll(url, { engine, checksums: [sha256(dataOf(ODD))] }), dataOf(ODD))
  await server.close()
})

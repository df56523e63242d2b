import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestVectors, etagVectors, testData } from '../../test/data.ts'
import { allocateShared } from '../shared-memory.ts'
import { createHashPool } from '../workers/hash-pool.ts'
import { type DigestAlgorithm, digestAlgorithms } from './algorithms.ts'
import { createDigester, type Digester } from './digester.ts'
import { digestOf, loadHashers, toHex } from './hasher.ts'

const MIB = 1_048_576
const buffer = allocateShared(20 * MIB)
const pool = createHashPool({ buffer, size: 2 })
const lanes = [
  ['on the calling thread', undefined],
  ['on workers', pool],
] as const

beforeAll(() => loadHashers(digestAlgorithms))
afterAll(() => pool.close())

/** The data in the shared memory that the pool has. */
function placed(data: Uint8Array): Uint8Array {
  const view = new Uint8Array(buffer, 4096, data.length)
  view.set(data)
  return view
}

function* chunksOf(bytes: Uint8Array, length: number): Iterable<{ offset: number; bytes: Uint8Array }> {
  for (let offset = 0; offset < bytes.length; offset += length) {
    yield { offset, bytes: bytes.subarray(offset, offset + length) }
  }
}

async function feed(digester: Digester, chunks: Iterable<{ offset: number; bytes: Uint8Array }>): Promise<void> {
  await Promise.all([...chunks].map(chunk => digester.add(chunk.offset, chunk.bytes)))
}

describe.each(lanes)('createDigester() %s', (_, lane) => {
  const algorithms: DigestAlgorithm[] = ['md5', 'crc32', 'crc32c', 'crc64nvme', 'sha256']

  test.each(digestVectors)('gives the vectors of $name', async vector => {
    const bytes = placed(vector.data())
    const digester = createDigester({ algorithms, size: bytes.length, pool: lane })
    await feed(digester, chunksOf(bytes, 2_000_000))
    const { values, size } = await digester.finish(bytes.length)
    const { md5, crc32, crc32c, crc64nvme, sha256 } = vector
    expect(values).toMatchObject({ md5, crc32, crc32c, crc64nvme, ...(sha256 ? { sha256 } : {}) })
    expect(size).toBe(bytes.length)
  })

  test.each(etagVectors)('finds the layout of the ETag $etag', async ({ size, partSize, etag }) => {
    const bytes = placed(testData(size))
    const composites = [{ algorithm: 's3_etag', value: etag }] as const
    const digester = createDigester({ algorithms: [], composites, size, pool: lane })
    await feed(digester, [...chunksOf(bytes, 3_000_001)].toReversed())
    const [attempt] = (await digester.finish(size)).composites
    expect(attempt?.tried.find(({ value }) => value === etag)?.partSize).toBe(partSize)
    expect(attempt?.untried).toEqual([])
  })

  test('gives the same for chunks in any order, of any length, whether or not the size is known', async () => {
    const data = placed(testData(700_001))
    const expected = Object.fromEntries(
      digestAlgorithms.map(algorithm => [algorithm, toHex(digestOf(algorithm, data))]),
    )
    const orders = fc
      .integer({ min: 9_000, max: 400_000 })
      .map(length => [...chunksOf(data, length)])
      .chain(chunks => fc.shuffledSubarray(chunks, { minLength: chunks.length }))
    await fc.assert(
      fc.asyncProperty(orders, fc.boolean(), async (chunks, isKnown) => {
        const size = isKnown ? data.length : undefined
        const digester = createDigester({ algorithms: digestAlgorithms, size, pool: lane })
        await feed(digester, chunks)
        expect((await digester.finish(data.length)).values).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })

  test('refuses to finish with a gap, too short or too long', async () => {
    const data = placed(testData(600_000))
    for (const total of [599_999, 600_001, 0]) {
      const digester = createDigester({ algorithms: ['crc32c'], size: undefined, pool: lane })
      await feed(digester, chunksOf(data, 200_000))
      await expect(digester.finish(total)).rejects.toMatchObject({ code: 'SizeMismatch' })
    }
    const digester = createDigester({ algorithms: ['md5'], size: undefined, pool: lane })
    await digester.add(0, data.subarray(0, 10))
    void digester.add(20, data.subarray(20, 30))
    await expect(digester.finish(30)).rejects.toMatchObject({ code: 'SizeMismatch' })
    digester.close()
  })

  test('refuses a byte that comes twice', async () => {
    const data = placed(testData(600_000))
    const digester = createDigester({ algorithms: ['md5'], size: undefined, pool: lane })
    await digester.add(0, data)
    expect(() => digester.add(599_999, data.subarray(0, 1))).toThrow('each byte must come once')
    digester.close()
  })

  test('lets early chunks go when it is closed', async () => {
    const data = placed(testData(600_000))
    const digester = createDigester({ algorithms: ['md5'], size: 600_000, pool: lane })
    const early = digester.add(300_000, data.subarray(300_000))
    expect(early).toBeInstanceOf(Promise)
    digester.close()
    digester.close()
    await early
    expect(() => digester.add(0, data)).toThrow('has ended')
  })

  test('tries only the likeliest of many layouts in passing and names the others', async () => {
    const size = 13_631_489
    const composites = [{ algorithm: 's3_etag', value: `${'0'.repeat(32)}-2` }] as const
    const digester = createDigester({ algorithms: [], composites, size: undefined, pool: lane })
    await feed(digester, chunksOf(placed(testData(size)), 4_000_000))
    const unknown = (await digester.finish(size)).composites[0]!
    expect(unknown.tried).toEqual([])
    expect(unknown.untried[0]).toBe(8 * MIB)
  })
})

describe('createDigester() for small inputs', () => {
  const bytes = placed(testData(10_240))

  test('is done with the bytes at once, in one piece or several, whether or not there are workers', async () => {
    for (const length of [10_240, 4000]) {
      const digester = createDigester({ algorithms: ['md5', 'xxh3', 'crc32c'], size: bytes.length, pool })
      for (const chunk of chunksOf(bytes, length)) expect(digester.add(chunk.offset, chunk.bytes)).toBeUndefined()
      expect((await digester.finish(bytes.length)).values.md5).toBe(toHex(digestOf('md5', bytes)))
    }
  })

  test('refuses more bytes than the whole', async () => {
    const digester = createDigester({ algorithms: ['md5'], size: bytes.length })
    digester.add(0, bytes)
    expect(() => digester.add(bytes.length, bytes)).toThrow('each byte must come once')
    await expect(digester.finish(1)).rejects.toMatchObject({ code: 'SizeMismatch' })
  })

  test('computes composites too', async () => {
    const value = `${toHex(digestOf('md5', digestOf('md5', bytes)))}-1`
    for (const size of [bytes.length, undefined]) {
      const digester = createDigester({ algorithms: [], composites: [{ algorithm: 's3_etag', value }], size })
      digester.add(0, bytes)
      const [attempt] = (await digester.finish(bytes.length)).composites
      expect(attempt).toMatchObject({ tried: [{ value }], untried: [] })
    }
  })

  test('computes a composite CRC with the part size that the source told', async () => {
    const parts = [...chunksOf(bytes, 4096)].map(chunk => digestOf('crc32c', chunk.bytes))
    const value = `${toHex(digestOf('crc32c', Buffer.concat(parts)))}-3`
    const composites = [{ algorithm: 'crc32c', value, partSize: 4096 }] as const
    const digester = createDigester({ algorithms: [], composites, size: bytes.length })
    digester.add(0, bytes)
    expect((await digester.finish(bytes.length)).composites[0]?.tried).toEqual([{ partSize: 4096, value }])
  })
})

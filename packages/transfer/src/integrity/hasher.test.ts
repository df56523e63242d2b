import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { digestVectors, shared, testData } from '../../test/data.ts'
import { digestAlgorithms, digestBytes } from './algorithms.ts'
import { crc32cOf, createHasher, digestOf, isLoaded, loadHashers, toHex } from './hasher.ts'
import { loadNativeCrc32c } from './native-crc32c.ts'
import { createWasmHasher, loadWasm, wasmDigest } from './wasm-hasher.ts'

test('createHasher() says to load an algorithm that is not loaded', () => {
  expect(isLoaded('crc64nvme')).toBe(false)
  expect(() => createHasher('crc64nvme')).toThrow("await loadHashers(['crc64nvme']) first")
})

describe('with all hashers loaded', () => {
  beforeAll(() => Promise.all([loadHashers(digestAlgorithms), loadHashers(digestAlgorithms), loadWasm('crc32c')]))

  test.each(digestVectors)(
    'createHasher() and digestOf() give the vectors of $name, also over shared memory',
    vector => {
      const data = vector.data()
      for (const bytes of [data, shared(data)]) {
        for (const algorithm of ['md5', 'crc32', 'crc32c', 'crc64nvme', 'sha256'] as const) {
          if (vector[algorithm] === undefined) continue
          const hasher = createHasher(algorithm)
          hasher.update(bytes.subarray(0, 5))
          hasher.update(bytes.subarray(5))
          expect(toHex(hasher.digest())).toBe(vector[algorithm])
          expect(toHex(digestOf(algorithm, bytes))).toBe(vector[algorithm])
        }
      }
    },
  )

  test.each([
    ['adler32', '', '00000001'],
    ['adler32', 'Wikipedia', '11e60398'],
    ['xxh3', '', '2d06800538d394c2'],
    ['xxh128', '', '99aa06d3014798d86001c324468d497f'],
    ['xxh128', 'abc', '06b05ab6733a618578af5f94892f3950'],
    ['xxh128', 'x', '5c7401c0ec22eeeeeaf06c6480b2cd11'],
    ['blake3', '', 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
    ['sha1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    [
      'sha512',
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
  ] as const)('digestOf() gives the published %s of "%s"', (algorithm, text, hex) => {
    expect(toHex(digestOf(algorithm, Buffer.from(text)))).toBe(hex)
  })

  test('createHasher() gives digests of the stated length', () => {
    for (const algorithm of digestAlgorithms) {
      expect(createHasher(algorithm).digest()).toHaveLength(digestBytes[algorithm])
    }
  })

  test('hashers that take turns do not disturb each other', () => {
    const data = shared(testData(70_000))
    const feeds = fc.array(fc.tuple(fc.nat(digestAlgorithms.length * 2 - 1), fc.nat(3000)), { maxLength: 60 })
    fc.assert(
      fc.property(feeds, steps => {
        const runs = [...digestAlgorithms, ...digestAlgorithms].map(algorithm => {
          return { algorithm, hasher: createHasher(algorithm), fed: 0 }
        })
        for (const [index, count] of steps) {
          const run = runs[index]!
          run.hasher.update(data.subarray(run.fed, (run.fed = Math.min(run.fed + count, data.length))))
          digestOf(run.algorithm, data.subarray(0, count))
        }
        for (const { algorithm, hasher, fed } of runs) {
          expect(toHex(hasher.digest())).toBe(toHex(digestOf(algorithm, data.subarray(0, fed))))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('the WebAssembly CRC32C equals the native one', ({ skip }) => {
    const native = loadNativeCrc32c()
    if (!native) return skip('@node-rs/crc32 is not installed')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40_000 }), bytes => {
        expect(Number(`0x${toHex(wasmDigest('crc32c', bytes))}`)).toBe(native(bytes))
        const hasher = createWasmHasher('crc32c')
        hasher.update(bytes)
        expect(toHex(hasher.digest())).toBe(native(bytes).toString(16).padStart(8, '0'))
      }),
    )
  })

  test('crc32cOf() is the unsigned CRC32C', () => {
    expect(crc32cOf(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32cOf(new Uint8Array())).toBe(0)
  })
})

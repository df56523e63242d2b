import { describe, expect, test } from 'vitest'
import type { OfferedChecksum } from './checksum.ts'
import { chooseExpectations } from './choose-expectations.ts'

const MD5 = 'a'.repeat(32)
const SHA256 = 'b'.repeat(64)

const offers = {
  amazon: { algorithm: 'crc32c', value: '00000001', coverage: 'object', origin: 'x-amz-checksum-crc32c' },
  repr: { algorithm: 'sha256', value: SHA256, coverage: 'object', origin: 'Repr-Digest' },
  composite: { algorithm: 'crc32c', value: '00000002-3', coverage: 'composite', origin: 'x-amz-checksum-crc32c' },
  googleMd5: { algorithm: 'md5', value: MD5, coverage: 'object', origin: 'x-goog-hash' },
  etag: { algorithm: 's3_etag', value: MD5, coverage: 'object', origin: 'ETag' },
  contentMd5: { algorithm: 'md5', value: MD5, coverage: 'object', origin: 'Content-MD5' },
  bodyMd5: { algorithm: 'md5', value: MD5, coverage: 'body', origin: 'Content-MD5' },
} as const satisfies Record<string, OfferedChecksum>

const all = Object.values(offers).toReversed()
const size = 20_000_000

function origins(...parameters: Parameters<typeof chooseExpectations>): string[] {
  return chooseExpectations(...parameters).map(({ authority, origin }) => `${authority} ${origin}`)
}

describe('chooseExpectations()', () => {
  test('holds the content to everything that caller and manifest state, and then to nothing else', () => {
    const caller = [{ algorithm: 'md5', value: MD5 }] as const
    const manifest = [{ algorithm: 'sha256', value: SHA256, origin: 'row 3' }] as const
    expect(origins(caller, manifest, all, size)).toEqual(['caller --checksum', 'manifest row 3'])
  })

  test('states what is said twice once', () => {
    const stated = [{ algorithm: 'md5', value: MD5 }] as const
    expect(origins(stated, stated, [], size)).toEqual(['caller --checksum'])
  })

  test('refuses two values of one algorithm before anything is fetched', () => {
    expect(() =>
      chooseExpectations(
        [{ algorithm: 'md5', value: MD5 }],
        [{ algorithm: 'md5', value: 'c'.repeat(32) }],
        [],
        undefined,
      ),
    ).toThrow(/Cannot hold the content to two md5 checksums: --checksum says a+, manifest says c+/)
  })

  test('takes a stated null as: no checksum', () => {
    expect(origins([{ algorithm: 'null', value: '' }], [], all, size)).toEqual(['caller --checksum'])
  })

  test('takes the strongest certain offer alone', () => {
    expect(origins([], [], all, size)).toEqual(['source Repr-Digest'])
    expect(origins([], [], [offers.contentMd5, offers.amazon], size)).toEqual(['source x-amz-checksum-crc32c'])
  })

  test('takes a guess together with the next offer that is none', () => {
    expect(origins([], [], [offers.etag, offers.contentMd5], size)).toEqual(['source ETag', 'source Content-MD5'])
    expect(origins([], [], [offers.etag, offers.googleMd5, offers.composite], size)).toEqual([
      'source x-amz-checksum-crc32c',
      'source x-goog-hash',
    ])
    expect(origins([], [], [offers.etag], size)).toEqual(['source ETag'])
  })

  test('never takes the digest of one answer’s body', () => {
    expect(origins([], [], [offers.bodyMd5], size)).toEqual([])
  })

  test('leaves out a composite that no part size explains', () => {
    expect(origins([], [], [offers.composite], 2)).toEqual([])
    expect(origins([], [], [{ ...offers.composite, partSize: 1 }], 2)).toHaveLength(1)
    expect(origins([], [], [offers.composite], undefined)).toHaveLength(1)
  })
})

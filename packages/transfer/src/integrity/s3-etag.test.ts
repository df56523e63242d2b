import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { etagVectors, testData } from '../../test/data.ts'
import { digestOf } from './hasher.ts'
import { compositeOf, mayBeS3Md5, partSizeCandidates } from './s3-etag.ts'

const MIB = 1_048_576

test.each(etagVectors)(
  'compositeOf() gives the ETag of $size bytes in parts of $partSize',
  ({ size, partSize, etag }) => {
    const data = testData(size)
    const digests: Uint8Array[] = []
    for (let at = 0; at < size; at += partSize) digests.push(digestOf('md5', data.subarray(at, at + partSize)))
    expect(compositeOf('md5', digests)).toBe(etag)
  },
)

describe('partSizeCandidates()', () => {
  test.each([
    { size: 54_743_580, parts: 4, mebibytes: [14, 15, 16, 17] },
    { size: 4 * MIB, parts: 4, mebibytes: [1] },
    { size: 5 * MIB, parts: 5, mebibytes: [1] },
  ])('has getm’s part sizes for $size bytes in $parts parts', ({ size, parts, mebibytes }) => {
    const whole = partSizeCandidates(size, parts).filter(partSize => partSize % MIB === 0)
    expect(whole.map(partSize => partSize / MIB).sort((a, b) => a - b)).toEqual(mebibytes)
  })

  test('has the common uploader sizes first', () => {
    expect(partSizeCandidates(54_743_580, 4).slice(0, 2)).toEqual([15 * MIB, 16 * MIB])
    expect(partSizeCandidates(13_631_489, 2)[0]).toBe(8 * MIB)
    expect(partSizeCandidates(54_743_580, 4)).toContain(16_000_000)
  })

  test('has boto3’s doubled size and an even split into 10,000 for huge objects', () => {
    const size = 400_000_000_001
    expect(partSizeCandidates(size, Math.ceil(size / (64 * MIB)))).toContain(64 * MIB)
    expect(partSizeCandidates(size, 10_000)).toContain(Math.ceil(size / 10_000))
  })

  test('is the whole for one part, also of an empty object', () => {
    expect(partSizeCandidates(123, 1)).toEqual([123])
    expect(partSizeCandidates(0, 1)).toEqual([1])
  })

  test('is empty where no part size gives so many parts', () => {
    expect(partSizeCandidates(1, 3)).toEqual([])
    expect(partSizeCandidates(0, 2)).toEqual([])
  })

  test('holds only sizes that give the parts asked for, each once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 43 }), fc.integer({ min: 2, max: 10_000 }), (size, parts) => {
        const candidates = partSizeCandidates(size, parts)
        expect(new Set(candidates).size).toBe(candidates.length)
        expect(candidates.every(partSize => Math.ceil(size / partSize) === parts)).toBe(true)
      }),
    )
  })
})

test('mayBeS3Md5() is false for KMS, customer keys and directory buckets', () => {
  expect(mayBeS3Md5({})).toBe(true)
  expect(mayBeS3Md5({ 'x-amz-server-side-encryption': 'AES256' })).toBe(true)
  expect(mayBeS3Md5({ 'x-amz-server-side-encryption': 'aws:kms' })).toBe(false)
  expect(mayBeS3Md5({ 'x-amz-server-side-encryption': 'aws:kms:dsse' })).toBe(false)
  expect(mayBeS3Md5({ 'x-amz-server-side-encryption-customer-algorithm': 'AES256' })).toBe(false)
  expect(mayBeS3Md5({ 'x-amz-storage-class': 'EXPRESS_ONEZONE' })).toBe(false)
})

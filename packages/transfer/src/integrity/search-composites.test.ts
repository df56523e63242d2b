import { describe, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { createDigester } from './digester.ts'
import { digestOf } from './hasher.ts'
import { compositeOf } from './s3-etag.ts'
import { searchComposites } from './search-composites.ts'

const MIB = 1_048_576
const data = testData(26 * MIB)

async function read(offset: number, into: Uint8Array): Promise<void> {
  into.set(data.subarray(offset, offset + into.length))
}

async function digestsWith(value: string) {
  const composites = [{ algorithm: 's3_etag', value }] as const
  const digester = createDigester({ algorithms: [], composites, size: data.length })
  digester.add(0, data)
  return digester.finish(data.length)
}

function etagOf(partSize: number): string {
  const digests: Uint8Array[] = []
  for (let at = 0; at < data.length; at += partSize) digests.push(digestOf('md5', data.subarray(at, at + partSize)))
  return compositeOf('md5', digests)
}

describe('searchComposites()', () => {
  test('finds an unusual layout that was not tried in passing', async () => {
    const value = etagOf(14 * MIB)
    const digests = await digestsWith(value)
    expect(digests.composites[0]?.tried).toHaveLength(1)
    const [attempt] = (await searchComposites(digests, { read })).composites
    expect(attempt?.tried.at(-1)).toEqual({ partSize: 14 * MIB, value })
    expect(attempt?.untried).toEqual([])
  })

  test('stops after as many layouts as it may try', async () => {
    const digests = await digestsWith(`${'0'.repeat(32)}-2`)
    const [attempt] = (await searchComposites(digests, { read, maxCandidates: 2 })).composites
    expect(attempt?.tried).toHaveLength(3)
    expect(attempt?.untried).toEqual(digests.composites[0]?.untried.slice(2))
  })

  test('rejects with the signal’s reason', async () => {
    const digests = await digestsWith(`${'0'.repeat(32)}-2`)
    const reason = new Error('enough')
    await expect(searchComposites(digests, { read, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

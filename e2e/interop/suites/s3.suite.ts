/** S3 against a real store: the gateway of a Ceph cluster. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, download, list, probe, readAll } from '../../../packages/transfer/src/index.ts'
import type { S3Options } from '../../../packages/transfer/src/sources/s3/options.ts'
import { createS3Source } from '../../../packages/transfer/src/sources/s3.ts'
import { testData } from '../../../packages/transfer/test/data.ts'
import { fetchBytes } from '../../../packages/transfer/test/fetch-bytes.ts'
import { describeListing } from '../../../packages/transfer/test/list-suite.ts'
import { sourceContext } from '../../../packages/transfer/test/source-context.ts'
import { describeSource, expectSame } from '../../../packages/transfer/test/source-suite.ts'
import { type Ceph, missingForCeph, startCeph } from '../../servers/ceph.ts'
import { S3Writer } from '../../servers/s3-client.ts'

const missing = missingForCeph()
const MIB = 2 ** 20

if (missing) test.skip(`NOT RUN s3: ${missing} is not installed; run scripts/install-servers.sh`, () => {})
else runAll()

function runAll(): void {
  let ceph: Ceph
  let writer: S3Writer
  let count = 0

  beforeAll(async () => {
    ceph = await startCeph()
    writer = new S3Writer(ceph)
    await writer.makeBucket('plain')
    await writer.makeBucket('versioned', { isVersioned: true })
    // Names with dots and capitals would not do before a host name.
    await writer.makeBucket('with.dots')
  })

  afterAll(async () => {
    writer?.close()
    await ceph?.close()
  })

  const s3 = (more: Partial<S3Options> = {}): S3Options => {
    const { endpoint, accessKeyId, secretAccessKey } = ceph
    return { endpoint, credentials: { accessKeyId, secretAccessKey }, environment: {}, ...more }
  }

  const makeSource = (bucket: string, keyOf: (count: number) => string) => async (content: Uint8Array) => {
    const key = keyOf(++count)
    const context = sourceContext({ s3: s3() })
    await writer.put(bucket, key, content)
    return {
      source: await createS3Source(`s3://${bucket}/${key}`, context),
      change: (other: Uint8Array) => writer.put(bucket, key, other),
      remove: () => writer.remove(bucket, key),
      [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
    }
  }

  describeSource('s3', { make: makeSource('plain', index => `o${index}`) })
  describeSource('s3, odd keys', { make: makeSource('with.dots', index => `${index}//../k e+y%20 é'(1)/./=&?#.bin`) })
  describeSource('s3, versioned', {
    make: makeSource('versioned', index => `o${index}`),
    cannot: { versions: 'the version seen first is still there, and read on' },
  })
  describeListing('s3', {
    make: async files => {
      const place = `list ${++count}/`
      const context = sourceContext({ s3: s3() })
      await writer.putAll('plain', [
        [place, Buffer.alloc(0)],
        ...[...files].map(([path, bytes]) => [place + path, bytes] as const),
      ])
      return {
        source: await createS3Source(`s3://plain/${place}`, context),
        open: uri => createS3Source(uri, context),
        [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
      }
    },
    cannot: { missing: 'an object store has no directories: what is not there is empty' },
  })

  describe('through the engine', () => {
    test('an object of parts is fetched in parts, and verified by the composite of their digests', async () => {
      const content = testData(13_631_489)
      await writer.putInParts('plain', 'parts', content, 5 * MIB)
      const directory = await mkdtemp(join(tmpdir(), 'arriero-s3-'))
      const result = await download('s3://plain/parts', join(directory, 'parts'), {
        s3: s3(),
        partSize: MIB,
        requireChecksum: true,
      })
      expectSame(await readFile(join(directory, 'parts')), content)
      expect((await probe('s3://plain/parts', { s3: s3() })).etag?.value).toBe('b75c90674fd507075230a0e684589f55-3')
      expect(result.verification).toMatchObject({
        proof: 'checksum',
        checks: [{ algorithm: 's3_etag', outcome: 'match' }],
      })
      await rm(directory, { recursive: true })
    })

    test('the version that was begun is read to its end, whatever is put there meanwhile', async () => {
      const [first, second] = [testData(4 * MIB), testData(4 * MIB).fill(1)]
      await writer.put('versioned', 'moving', first)
      await using context = sourceContext({ s3: s3() })
      const source = await createS3Source('s3://versioned/moving', context)
      const { answer } = await fetchBytes(source, { range: { start: 0, end: MIB } })
      await writer.put('versioned', 'moving', second)
      const rest = await fetchBytes(source, { range: { start: MIB, end: 4 * MIB }, expected: answer.resource })
      expectSame(rest.bytes, first.subarray(MIB))
      expectSame(await readAll('s3://versioned/moving', { s3: s3() }), second)
      expectSame(await readAll(`s3://versioned/moving?versionId=${answer.resource.version}`, { s3: s3() }), first)
    })

    test('3,000 keys are named, each once, and come in one run', async () => {
      const keys = Array.from({ length: 3000 }, (_, index) => `many/${index % 7}/${index}`)
      await writer.putAll(
        'plain',
        keys.map(key => [key, Buffer.from(key)] as const),
      )
      const found: string[] = []
      for await (const batch of list('s3://plain/many/', { s3: s3() })) found.push(...batch.map(({ uri }) => uri))
      expect(found.sort()).toEqual(keys.map(key => `s3://plain/${key}`).sort())
      const matching: string[] = []
      for await (const batch of list('s3://plain/many/[12]/*99', { s3: s3() }))
        matching.push(...batch.map(({ uri }) => uri))
      expect(matching.sort()).toEqual(
        keys
          .filter(key => /^many\/[12]\/\d*99$/.test(key))
          .map(key => `s3://plain/${key}`)
          .sort(),
      )
    })

    test('says what is wrong: bucket, key, key id, secret, nobody', async () => {
      await using engine = createEngine()
      const credentials = { accessKeyId: ceph.accessKeyId, secretAccessKey: 'not the secret' }
      await writer.put('plain', 'there', Buffer.from('x'))
      const failing = (uri: string, more: Partial<S3Options> = {}) => readAll(uri, { s3: s3(more), engine })
      await expect(failing('s3://nowhere-at-all/x')).rejects.toMatchObject({
        code: 'NotFound',
        message: expect.stringContaining('no bucket nowhere-at-all'),
      })
      await expect(failing('s3://plain/none')).rejects.toMatchObject({
        code: 'NotFound',
        message: expect.stringContaining('no such key'),
      })
      await expect(
        failing('s3://plain/there', { credentials: { ...credentials, accessKeyId: 'NOBODY' } }),
      ).rejects.toMatchObject({ code: 'Denied', message: expect.stringContaining('InvalidAccessKeyId') })
      await expect(failing('s3://plain/there', { credentials })).rejects.toMatchObject({
        code: 'Denied',
        message: expect.stringContaining('SignatureDoesNotMatch'),
      })
      await expect(failing('s3://plain/there', { credentials: undefined, anonymous: true })).rejects.toMatchObject({
        code: 'Denied',
        message: expect.stringContaining('not signed'),
      })
      await expect(list('s3://nowhere-at-all/', { s3: s3(), engine }).next()).rejects.toMatchObject({
        code: 'NotFound',
      })
    })
  })
}

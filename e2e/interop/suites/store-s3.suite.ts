/** A store in a bucket of a real S3 server: the gateway of a Ceph cluster. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as library from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createThreads } from '../../../packages/librarian/src/stores/local/threads.ts'
import { openStore } from '../../../packages/librarian/src/stores/open-store.ts'
import {
  abortUploads,
  digestObject,
  headObject,
  putObject,
  Taken,
} from '../../../packages/librarian/src/stores/s3/s3-objects.ts'
import { contentOf } from '../../../packages/librarian/src/stores/s3/s3-trail.ts'
import type { Store, Work } from '../../../packages/librarian/src/stores/store.ts'
import { describeStore, newId, pieces, unwrap } from '../../../packages/librarian/test/store-suite.ts'
import { type Ceph, missingForCeph, startCeph } from '../../servers/ceph.ts'
import { S3Writer } from '../../servers/s3-client.ts'

const missing = missingForCeph()
if (missing) test.skip(`NOT RUN store-s3: ${missing} is not installed; run scripts/install-servers.sh`, () => {})
else runAll()

function runAll(): void {
  let ceph: Ceph
  let writer: S3Writer
  let count = 0
  const threads = createThreads()

  beforeAll(async () => {
    ceph = await startCeph()
    writer = new S3Writer(ceph)
    await writer.makeBucket('stores')
  })

  afterAll(async () => {
    writer?.close()
    await threads[Symbol.asyncDispose]()
    await ceph?.close()
  })

  async function make() {
    const scratch = await mkdtemp(join(tmpdir(), 'arriero-scratch-'))
    const prefix = `${++count}/`
    const open = () =>
      openStore(
        {
          name: 'bucket',
          type: 's3',
          data: {
            bucket: 'stores',
            prefix,
            endpoint: ceph.endpoint,
            access_key_id: ceph.accessKeyId,
            secret_access_key: ceph.secretAccessKey,
            scratch_path: scratch,
          },
        },
        { threads, createMarker: true },
      )
    const opened: Store[] = [await open()]
    return {
      store: opened[0]!,
      async stage() {
        throw new Error('a bucket has no staging area')
      },
      damage: (name: string, content: Uint8Array) => writer.put('stores', prefix + name, content),
      async reopen() {
        const store = await open()
        opened.push(store)
        return store
      },
      setThere: (isThere: boolean) =>
        rename(isThere ? `${scratch}-away` : scratch, isThere ? scratch : `${scratch}-away`),
      async [Symbol.asyncDispose]() {
        for (const store of opened) await store[Symbol.asyncDispose]()
        await rm(scratch, { recursive: true, force: true })
      },
    }
  }

  describeStore('s3', {
    make,
    cannot: { trees: 'only staging areas bring trees', staging: 'nobody else writes into a bucket of ours' },
  })

  describe('a store in a bucket', () => {
    test.each([1000, 70 * 2 ** 20])(
      'never puts one object over another, of %i bytes, even where both looked before',
      async size => {
        const client = clientOf(ceph)
        const place = { library, client, bucket: 'stores' }
        const [first, second] = [contentOf(Buffer.alloc(size, 1)), contentOf(Buffer.alloc(size, 2))]
        const key = `over-${size}`
        await putObject(place, key, first)
        await expect(putObject(place, key, second)).rejects.toThrow(Taken)
        const found = await headObject(place, key)
        expect(await digestObject(place, key, found!, ['sha256'])).toEqual({ sha256: first.sha256 })
        expect(found).toMatchObject({ sha256: first.sha256, size })
        client.destroy()
      },
    )

    test('puts in parts what a server can end on a condition, and finds and removes what a kill has left of it', async () => {
      const client = clientOf(ceph)
      const place = { library, client, bucket: 'stores', hasConditionalParts: true }
      const content = contentOf(Buffer.alloc(150 * 2 ** 20, 3))
      await putObject(place, 'in-parts', content)
      const found = await headObject(place, 'in-parts')
      expect(found?.etag).toMatch(/-3"$/)
      expect(await digestObject(place, 'in-parts', found!, ['sha256'])).toEqual({ sha256: content.sha256 })
      const at = { Bucket: 'stores', Key: 'left' }
      await client.send(new library.CreateMultipartUploadCommand(at))
      await abortUploads(place, 'left')
      const { Uploads = [] } = await client.send(new library.ListMultipartUploadsCommand({ Bucket: 'stores' }))
      expect(Uploads).toEqual([])
      client.destroy()
    })

    test('refuses bytes that are not those of the digest', async () => {
      const client = clientOf(ceph)
      const place = { library, client, bucket: 'stores' }
      const { sha256 } = contentOf(Buffer.alloc(70 * 2 ** 20, 4))
      const wrong = { ...contentOf(Buffer.alloc(70 * 2 ** 20, 5)), sha256 }
      await expect(putObject(place, 'wrong', wrong)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
      expect(await headObject(place, 'wrong')).toBeUndefined()
      client.destroy()
    })

    test('commits what is large, and only once', async () => {
      await using harness = await make()
      const { store } = harness
      const content = new Uint8Array(randomBytes(100 * 2 ** 20))
      const works: (Work & { name: string })[] = []
      for (const name of ['large', 'large']) {
        const id = randomUUID()
        await using spool = await store.openSpool(id)
        await spool.append(pieces(content, 1 << 20))
        works.push({
          id: newId(),
          token: 1,
          origin: { from: 'spool', id },
          size: content.length,
          checksum: undefined,
          name,
        })
        content[5]! ^= 1
      }
      const prepared = (await store.prepare(works)).map(unwrap)
      const publications = prepared.map(({ kind, size, sha256 }, index) => {
        const { id, token, name } = works[index]!
        return { id, token, name, kind, size, sha256 }
      })
      const outcomes = [...(await store.publish([publications[0]!])), ...(await store.publish([publications[1]!]))]
      expect(outcomes[0]).toMatchObject({ ok: true })
      expect(outcomes[1]).toMatchObject({ ok: false, error: { code: 'FileExists' } })
      const reading = await store.examine('large', { kind: 'file', checksum: prepared[0]!.checksum })
      expect(reading).toMatchObject({ outcome: 'read', sha256: prepared[0]!.sha256, size: content.length })
    })
  })
}

function clientOf({ endpoint, accessKeyId, secretAccessKey }: Ceph): library.S3Client {
  return new library.S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    logger: silent,
  })
}

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

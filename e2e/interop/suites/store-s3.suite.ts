/** A store in a bucket of a real S3 server: the gateway of a Ceph cluster. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as library from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Keeper } from '../../../packages/librarian/src/stores/keeper.ts'
import type { Life } from '../../../packages/librarian/src/stores/life.ts'
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
import type { Store, TrailBreak, TrailRecord, Work } from '../../../packages/librarian/src/stores/store.ts'
import {
  describeStore,
  keeperOf,
  newId,
  pieces,
  recordOf,
  unwrap,
} from '../../../packages/librarian/test/store-suite.ts'
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

  async function make(prefix = `${++count}/`) {
    const scratch = await mkdtemp(join(tmpdir(), 'arriero-scratch-'))
    const open = (keeper?: Keeper, life?: Life) =>
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
        { threads, createMarker: true, keeper, life },
      )
    const remove = () => rm(scratch, { recursive: true, force: true })
    const opened: Store[] = []
    try {
      opened.push(await open())
    } catch (error) {
      await remove()
      throw error
    }
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
      async openFor(keeper: Keeper, life?: Life) {
        const store = await open(keeper, life)
        opened.push(store)
        return store
      },
      setThere: (isThere: boolean) =>
        rename(isThere ? `${scratch}-away` : scratch, isThere ? scratch : `${scratch}-away`),
      async [Symbol.asyncDispose]() {
        for (const store of opened) await store[Symbol.asyncDispose]()
        await remove()
      },
    }
  }

  describeStore('s3', {
    make: () => make(),
    cannot: { trees: 'only staging areas bring trees', staging: 'nobody else writes into a bucket of ours' },
  })

  describe('a store under a prefix (B7)', () => {
    test('is not made in another one, nor around it', async () => {
      await using _ = await make('nest/one/')
      const refusal = { code: 'Configuration', message: expect.stringContaining('is a store itself') }
      await expect(make('nest/one/in/')).rejects.toMatchObject(refusal)
      await expect(make('nest/')).rejects.toMatchObject(refusal)
      await expect(make('')).rejects.toMatchObject(refusal)
      await using beside = await make('nest/onemore/')
      expect(await beside.store.state()).toMatchObject({ available: true })
    })

    test('in which somebody has made another one never looks into that, tells it, and puts nothing there', async () => {
      await using outer = await make('around/')
      const keys = [
        'in/!first',
        'in/.arriero/marker.json',
        'in/.arriero/trail/x',
        'in/f',
        'in/deep/f',
        'in!',
        'inn',
        'z/f',
      ]
      for (const key of keys) await writer.put('stores', `around/${key}`, Buffer.from('x'))
      const seen = await Array.fromAsync(outer.store.scan())
      expect(seen.map(({ shown, kind }) => `${kind} ${shown}`)).toEqual([
        'file in!',
        'store in',
        'file inn',
        'file z/f',
      ])
      const id = randomUUID()
      {
        await using spool = await outer.store.openSpool(id)
        await spool.append(pieces(Buffer.from('new')))
      }
      const work: Work = { id: newId(), token: 1, origin: { from: 'spool', id }, size: 3, checksum: undefined }
      const { kind, size, sha256 } = unwrap((await outer.store.prepare([work]))[0]!)
      for (const name of ['in/new', 'in/deep/new']) {
        const [outcome] = await outer.store.publish([{ id: work.id, token: 1, name, kind, size, sha256 }])
        expect(outcome, name).toMatchObject({ ok: false, error: { code: 'FileExists' } })
      }
      const [outcome] = await outer.store.publish([{ id: work.id, token: 1, name: 'z/new', kind, size, sha256 }])
      expect(outcome).toMatchObject({ ok: true })
    })

    test('is not shared by catalogues with scratch directories of their own, nor is a scratch directory', async () => {
      await using one = await make('shared/')
      expect(await (await one.openFor(keeperOf('ours'))).state()).toMatchObject({ available: true })
      await using two = await make('shared/')
      expect(await (await two.openFor(keeperOf('theirs'))).state()).toMatchObject({
        available: false,
        otherKeeper: { librarian: 'ours' },
      })
    })
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

    test('G1: where an object of the trail was changed or removed its writer is not believed any further, and all others are', async () => {
      await using harness = await make()
      const client = clientOf(ceph)
      for (const [index, name] of ['a', 'b', 'c'].entries()) await harness.store.appendTrail([recordOf(name, index)])
      const other = await harness.reopen()
      await other.appendTrail([recordOf('d', 3)])
      const listed = await client.send(new library.ListObjectsV2Command({ Bucket: 'stores', Prefix: `${count}/` }))
      const keys = listed.Contents!.flatMap(({ Key = '' }) => (Key.endsWith('.jsonl') ? [Key] : []))
      expect(keys).toHaveLength(4)
      // No clock has a part in it.
      expect(keys.every(key => /\/\d{15}[14]-[0-9a-f]{16}-\d{9}\.jsonl$/.test(key))).toBe(true)
      const get = async (key: string) => {
        const { Body } = await client.send(new library.GetObjectCommand({ Bucket: 'stores', Key: key }))
        return await Body!.transformToString()
      }
      const texts = await Promise.all(keys.map(get))
      const second = texts.findIndex(text => text.includes('"name":"b"'))
      const told = async () => {
        const breaks: string[] = []
        const disbelieved: string[] = []
        const report = ({ place }: TrailBreak) => void breaks.push(place)
        const disbelieve = ({ name }: TrailRecord) => void disbelieved.push(name)
        const records = await Array.fromAsync(other.readTrail({ report, disbelieve }))
        return { believed: records.map(({ name }) => name).sort(), disbelieved, breaks }
      }
      await writer.put('stores', keys[second]!, Buffer.from(texts[second]!.replace('somebody', 'anybody')))
      expect(await told()).toEqual({ believed: ['a', 'd'], disbelieved: ['c'], breaks: [keys[second]] })
      await expect(Array.fromAsync(other.readTrail())).rejects.toThrow(/trail is broken/)
      await writer.remove('stores', keys[second]!)
      expect(await told()).toMatchObject({ believed: ['a', 'd'], disbelieved: ['c'], breaks: [expect.any(String)] })
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

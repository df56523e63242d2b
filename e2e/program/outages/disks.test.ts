/** A store's disk that is pulled, swapped, or turned read-only under a real server (reliability 5, B4). */
import { readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { type Mounts, openMounts } from './mounts.ts'
import { seeLibrarian } from './see-librarian.ts'
import { type Server, startServer } from './server.ts'
import { bytesOf, Uploader } from './uploader.ts'

const MiB = 1 << 20

let directory: string
let mounts: Mounts | undefined
let server: Server | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-disks-'))
  for (const name of ['disk', 'aside', 'home']) await mkdir(join(directory, name))
})
afterEach(async () => {
  await server?.kill()
  server = undefined
  await mounts?.end()
  await rm(directory, { recursive: true })
})

const disk = () => join(directory, 'disk')
const catalogue = () => join(directory, 'home', 'catalogue.db')
const place = () => ({ name: 'outer', path: join(disk(), 'files'), staging: join(disk(), 'staging') })

async function serve(): Promise<Uploader> {
  server = await startServer({
    directory: join(directory, 'home'),
    prefix: mounts!.prefix,
    catalogue: `sqlite:${catalogue()}`,
    stores: [place()],
  })
  return new Uploader(server.url)
}

async function insertDisk(): Promise<void> {
  mounts!.mount(disk(), 'size=32m')
  for (const name of ['files', 'staging']) await mkdir(join(mounts!.seen(disk()), name))
}

const isThere = async (client: Uploader) => (await client.states())[0]?.available

test('a disk that is pulled is unavailable, not empty: nothing changes, and it goes on by itself when it is back', async () => {
  mounts = await openMounts('pulled disk')
  if (!mounts) return
  await insertDisk()
  const client = await serve()
  expect((await client.upload('kept/before', bytesOf(1, MiB))).status).toBe(200)
  const half = await client.announce('kept/half', bytesOf(2, 2 * MiB))
  if ('status' in half) throw new Error('it must be announced')
  expect((await client.send(half, 0, MiB)).status).toBe(204)

  mounts.pull(disk(), join(directory, 'aside'))
  const unavailable = { status: 503, body: { reason: expect.stringMatching(/store outer is not available/i) } }
  for (let n = 0; n < 10; n++) expect(await client.send(half, MiB)).toMatchObject(unavailable)
  expect(await client.commit(half)).toMatchObject(unavailable)
  expect((await client.download('kept/before')).status).toBe(503)
  expect(await isThere(client)).toBe(false)
  expect((await fetch(`${server!.url}/health`)).status).toBe(503)
  expect((await client.post('search/file', { name: 'kept/before' })).status).toBe(200)

  // An empty disk in its place, then one of another librarian: neither is taken for ours, and nothing is written to them.
  mounts.mount(disk(), 'size=1m')
  expect(await client.send(half, MiB)).toMatchObject(unavailable)
  expect(readdirSync(mounts.seen(disk()))).toEqual([])
  const strange = join(mounts.seen(disk()), 'files/.arriero')
  await mkdir(strange, { recursive: true })
  await mkdir(join(mounts.seen(disk()), 'staging'))
  const marker = JSON.stringify({ uuid: 'a6a1b2c3-0000-4000-8000-000000000000', name: 'theirs' })
  await writeFile(join(strange, 'marker.json'), marker)
  expect(await client.send(half, MiB)).toMatchObject({
    status: 503,
    body: { reason: expect.stringContaining('another disk') },
  })
  expect(readdirSync(mounts.seen(disk()), { recursive: true }).length).toBe(4)
  mounts.unmount(disk())

  mounts.putBack(disk(), join(directory, 'aside'))
  await expect.poll(() => isThere(client)).toBe(true)
  expect((await client.send(half, await client.offset(half))).status).toBe(204)
  expect((await client.commit(half)).status).toBe(200)
  expect((await client.download('kept/before')).bytes.equals(bytesOf(1, MiB))).toBe(true)

  const told = server!.log().filter(({ msg }) => /^a store is/.test(msg))
  expect(told.map(({ level, store }) => [level, store])).toEqual([
    ['error', 'outer'],
    ['info', 'outer'],
  ])
  expect((await client.states())[0]).toMatchObject({ enabled: true })
  // Another one sweeps what could not be removed while the disk was away.
  expect((await server!.stop()).code).toBe(0)
  await serve()
  expect((await server!.stop()).code).toBe(0)
  const seen = mounts.seen(disk())
  const stores = [{ name: 'outer', root: join(seen, 'files'), staging: join(seen, 'staging') }]
  expect(checkInvariants(await seeLibrarian(catalogue(), stores), client.kept)).toEqual([])

  // Started with another disk it says so, before it does anything.
  mounts.pull(disk(), join(directory, 'aside'))
  await insertDisk()
  await mkdir(join(seen, 'files/.arriero'), { recursive: true })
  await writeFile(join(seen, 'files/.arriero/marker.json'), marker)
  await expect(serve()).rejects.toThrow(/store outer.*another disk is mounted there/)
  expect(readdirSync(join(seen, 'files'))).toEqual(['.arriero'])
}, 90_000)

test('a disk that turns read-only takes nothing and gives what it has; it is used again when it can be written', async () => {
  mounts = await openMounts('read-only disk')
  if (!mounts) return
  await insertDisk()
  const client = await serve()
  expect((await client.upload('kept/before', bytesOf(1, MiB))).status).toBe(200)
  const half = await client.announce('kept/half', bytesOf(2, 2 * MiB))
  if ('status' in half) throw new Error('it must be announced')
  mounts.remount(disk(), 'ro')
  for (let n = 0; n < 3; n++) {
    expect(await client.send(half, 0)).toMatchObject({
      status: 503,
      body: {
        reason: expect.stringContaining('read-only'),
        suggested_remedy: expect.stringContaining('mount it to be written again'),
      },
    })
  }
  expect((await client.download('kept/before')).bytes.equals(bytesOf(1, MiB))).toBe(true)
  mounts.remount(disk(), 'rw')
  expect((await client.send(half, await client.offset(half))).status).toBe(204)
  expect((await client.commit(half)).status).toBe(200)
  // Twice refused is not twice broken: nobody has to enable it.
  expect((await client.states())[0]).toMatchObject({ enabled: true, available: true })
}, 120_000)

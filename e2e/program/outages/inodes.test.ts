/** A store’s disk that runs out of inodes, with room for bytes, under a real server (reliability 5, ENOSPC). */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import {
  announcementOf as announcing,
  bytesOf as archiveOf,
  type Content,
  checksumOf,
  commit,
  type Door,
  patch,
  put,
  refused,
  type Sending,
  sendByTus,
  type Upload,
} from '../../faults/commit/client.ts'
import { type Mounts, openMounts } from './mounts.ts'
import { seeLibrarian } from './see-librarian.ts'
import { authorization, type Server, startServer } from './server.ts'
import { bytesOf, Uploader } from './uploader.ts'

let directory: string
let mounts: Mounts | undefined
let server: Server | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-inodes-'))
  await mkdir(join(directory, 'disk'))
})
afterEach(async () => {
  await server?.kill()
  server = undefined
  await mounts?.end()
  await rm(directory, { recursive: true })
})

test('a store without inodes: files and trees are refused and told what is missing, nothing is lost or left, and it goes on when there is room', async () => {
  mounts = await openMounts('a store without inodes')
  if (!mounts) return
  const outside = mounts.seen(join(directory, 'disk'))
  mounts.mount(join(directory, 'disk'), 'size=64m,nr_inodes=1000')
  for (const name of ['files', 'staging']) await mkdir(join(outside, name))
  server = await serve()
  const client = new Uploader(server.url)
  const door = { url: server.url, authorization, root: join(outside, 'files') }
  expect((await client.upload('kept/before', bytesOf(1, 1000))).status).toBe(200)

  // Announced, and their bytes brought, while there is room.
  const staged = sendingOf('late/staged', bytesOf(2, 1000))
  const tree = sendingOf('late/tree', treeOf(3))
  const archive = sendingOf('late/archive', treeOf(4))
  const overHttp = sendingOf('late/http', bytesOf(5, 100_000))
  for (const sending of [staged, tree, archive, overHttp]) await announce(client, sending)
  for (const sending of [staged, tree]) put(mounts.seen(sending.announced!.staging_location), sending.upload.content)
  expect((await patch(door, archive, 0, archiveOf(archive.upload).subarray(0, 1000))).status).toBe(204)
  const sendStaged = async (to: Door, sending: Sending) => {
    await announce(client, sending)
    put(mounts!.seen(sending.announced!.staging_location), sending.upload.content)
    return await commit(to, sending, 'local')
  }
  const before = namesIn(join(outside, 'files'))

  const whole = archiveOf(archive.upload)
  for (const [sending, attempt] of [
    [staged, () => commit(door, staged, 'local')],
    [tree, () => commit(door, tree, 'local')],
    [overHttp, async () => refused(await patch(door, overHttp, 0, archiveOf(overHttp.upload)))],
    [
      archive,
      async () => {
        const answer = await patch(door, archive, 1000, whole.subarray(1000))
        return answer.status === 204 ? await commit(door, archive, 'http') : refused(answer)
      },
    ],
  ] as const) {
    exhaust(join(outside, 'filler'))
    const told = await attempt()
    expect(told, sending.upload.name).toMatchObject({
      outcome: 'refused',
      status: 507,
      reason: expect.stringMatching(/(?=.*store small)(?=.*no inodes left).*Inodes are missing, not bytes/),
    })
  }
  for (const content of [bytesOf(6, 10), treeOf(7)]) {
    const answer = await client.post('upload/stage', announcementOf({ name: 'late/more', content }))
    expect(answer).toMatchObject({
      status: 413,
      body: { suggested_remedy: expect.stringMatching(/store small is short of inodes, not of bytes/) },
    })
  }
  const [state] = await client.states()
  expect(state).toMatchObject({ name: 'small', available: true, free_space: 0 })

  // What was kept is there; nothing of what was refused is.
  expect((await client.download('kept/before')).bytes.equals(bytesOf(1, 1000))).toBe(true)
  expect(namesIn(join(outside, 'files'))).toEqual(before)
  expect(readdirSync(join(outside, 'files/.arriero/work'))).toEqual([])

  rmSync(join(outside, 'filler'), { recursive: true })
  for (const [sending, send] of [
    // A commit that was refused is over: from the beginning.
    [staged, sendStaged],
    [tree, sendStaged],
    [archive, sendByTus],
    [overHttp, sendByTus],
  ] as const) {
    expect(await send(door, sending), sending.upload.name).toEqual({ outcome: 'acknowledged' })
    const { name, content } = sending.upload
    client.kept.push({ name, content, checksum: checksumOf(content) })
  }
  expect((await client.upload('kept/after', bytesOf(8, 1000))).status).toBe(200)
  expect(server.isRunning()).toBe(true)

  expect((await server.stop()).code).toBe(0)
  server = await serve()
  expect((await server.stop()).code).toBe(0)
  const stores = [{ name: 'small', root: join(outside, 'files'), staging: join(outside, 'staging') }]
  const catalogue = join(directory, 'home', 'catalogue.db')
  expect(checkInvariants(await seeLibrarian(catalogue, stores), client.kept)).toEqual([])
}, 120_000)

function serve(): Promise<Server> {
  const [disk, home] = [join(directory, 'disk'), join(directory, 'home')]
  return startServer({
    directory: home,
    prefix: mounts!.prefix,
    catalogue: `sqlite:${join(home, 'catalogue.db')}`,
    stores: [{ name: 'small', path: join(disk, 'files'), staging: join(disk, 'staging') }],
  })
}

function announcementOf(upload: Upload): object {
  return { ...announcing(upload), uploader: 'admin' }
}

function sendingOf(name: string, content: Content): Sending {
  return { upload: { name, content } }
}

async function announce(client: Uploader, sending: Sending): Promise<void> {
  const answer = await client.post('upload/stage', announcementOf(sending.upload))
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  sending.announced = answer.body as unknown as Sending['announced']
}

function treeOf(seed: number): Content {
  return new Map(Array.from({ length: 20 }, (_, index) => [`sub/${index}`, bytesOf(100 * seed + index, 500)]))
}

/** Takes all inodes that are left, and hardly a byte. */
function exhaust(path: string): void {
  mkdirSync(path, { recursive: true })
  try {
    for (let n = readdirSync(path).length; ; n++) writeFileSync(join(path, String(n)), '')
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
  }
}

/** Everything under names that users see. */
function namesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(name => !name.startsWith('.arriero'))
    .sort()
}

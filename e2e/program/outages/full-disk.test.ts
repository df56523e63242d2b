/** A store's disk and the catalogue's disk that fill up under a real server (reliability 5, ENOSPC). */
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { type Mounts, openMounts } from './mounts.ts'
import { seeLibrarian } from './see-librarian.ts'
import { type Server, startServer } from './server.ts'
import { bytesOf, Uploader } from './uploader.ts'

let directory: string
let mounts: Mounts | undefined
let server: Server | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-full-'))
  for (const name of ['disk', 'home']) await mkdir(join(directory, name))
})
afterEach(async () => {
  await server?.kill()
  server = undefined
  await mounts?.end()
  await rm(directory, { recursive: true })
})

const MiB = 1 << 20
const fullStore = /(?=.*store small).*full/i

interface Place {
  readonly client: Uploader
  /** The store’s disk and the catalogue’s, as we see them. */
  readonly disk: string
  readonly home: string
}

async function start(sizes: { disk: string; home: string }): Promise<Place> {
  const [disk, home] = [join(directory, 'disk'), join(directory, 'home')]
  mounts!.mount(disk, `size=${sizes.disk}`)
  mounts!.mount(home, `size=${sizes.home}`)
  const seen = mounts!.seen(disk)
  for (const name of ['files', 'staging']) await mkdir(join(seen, name))
  server = await serve()
  return { client: new Uploader(server.url), disk: seen, home: mounts!.seen(home) }
}

function serve(): Promise<Server> {
  const [disk, home] = [join(directory, 'disk'), join(directory, 'home')]
  return startServer({
    directory: join(directory, 'settings'),
    prefix: mounts!.prefix,
    catalogue: `sqlite:${join(home, 'catalogue.db')}`,
    stores: [{ name: 'small', path: join(disk, 'files'), staging: join(disk, 'staging') }],
  })
}

/** Takes all that is left, to the last page. */
function fill(path: string): void {
  for (let size = MiB; size >= 4096; size /= 2) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // Full for this size; smaller ones may still fit.
    }
  }
}

/** Of all that is left when it has been stopped, and another one has recovered and swept. */
async function problems({ client, disk, home }: Place): Promise<string[]> {
  expect((await server!.stop()).code).toBe(0)
  server = await serve()
  expect((await server.stop()).code).toBe(0)
  const stores = [{ name: 'small', root: join(disk, 'files'), staging: join(disk, 'staging') }]
  // SQLite would follow the way into the namespace to a path of ours.
  const catalogue = join(directory, 'settings', 'catalogue.db')
  copyFileSync(join(home, 'catalogue.db'), catalogue)
  return checkInvariants(await seeLibrarian(catalogue, stores), client.kept)
}

test('a store that fills up under uploads: 507 that names it, nothing half-written, and it goes on when there is room', async () => {
  mounts = await openMounts('full store')
  if (!mounts) return
  const place = await start({ disk: '24m', home: '64m' })
  const { client, disk } = place
  const outside = (path: string) => mounts!.seen(path)
  expect((await client.upload('kept/before', bytesOf(1, MiB))).status).toBe(200)

  // Announced while there is room; then somebody else takes it.
  const overHttp = await client.announce('kept/http', bytesOf(2, 4 * MiB))
  const staged = await client.announce('kept/staged', bytesOf(3, 3 * MiB))
  if ('status' in overHttp || 'status' in staged) throw new Error('it must be announced')
  writeFileSync(outside(String(staged.told.staging_location)), staged.content)
  fill(join(disk, 'filler'))

  const sent = await client.send(overHttp, 0)
  expect(sent.status).toBe(507)
  expect(sent.body).toMatchObject({
    reason: expect.stringMatching(fullStore),
    suggested_remedy: expect.stringContaining('space'),
  })
  const committed = await client.commit(staged, 'local')
  expect(committed.status).toBe(507)
  expect(committed.body).toMatchObject({ reason: expect.stringMatching(fullStore) })
  const refused = await client.announce('kept/more', bytesOf(4, 2 * MiB))
  expect(refused).toMatchObject({ status: 413 })
  // However many meet it, it is one condition: told once, and one row for the operator.
  for (let n = 0; n < 20; n++) expect((await client.send(overHttp, 0)).status).toBe(507)
  const told = server!.log().filter(({ msg }) => fullStore.test(msg))
  expect(told.length).toBeLessThanOrEqual(4)
  expect(new Set(told.map(({ level }) => level))).toEqual(new Set(['warn', 'error']))
  const alarms = (await client.post('search/error', {})).body as unknown as { message: string }[]
  expect(alarms.filter(alarm => /small is full/.test(alarm.message))).toHaveLength(1)

  // What was kept is there, and the catalogue answers.
  expect((await client.download('kept/before')).bytes.equals(bytesOf(1, MiB))).toBe(true)
  expect((await client.post('search/file', { name: 'kept/before' })).status).toBe(200)
  expect(existsSync(join(disk, 'files/kept/staged'))).toBe(false)
  expect(readdirSync(join(disk, 'files/.arriero/work'))).toEqual([])

  rmSync(join(disk, 'filler'))
  const offset = await client.offset(overHttp)
  expect((await client.send(overHttp, offset)).status).toBe(204)
  expect((await client.commit(overHttp)).status).toBe(200)
  expect((await client.uploadStaged('kept/staged', bytesOf(3, 3 * MiB), outside)).status).toBe(200)

  expect(server!.isRunning()).toBe(true)
  expect(await problems(place)).toEqual([])
}, 120_000)

test('a catalogue whose disk is full: 507 that says so, no half work, reads go on, and it goes on when there is room', async () => {
  mounts = await openMounts('full catalogue')
  if (!mounts) return
  const place = await start({ disk: '64m', home: '6m' })
  const { client, home } = place
  expect((await client.upload('kept/before', bytesOf(1, 1000))).status).toBe(200)
  fill(join(home, 'filler'))

  const answers: number[] = []
  for (let n = 0; n < 200 && answers.at(-1) !== 507; n++) {
    answers.push((await client.upload(`kept/during-${n}`, bytesOf(n, 1000))).status)
  }
  expect(answers.at(-1)).toBe(507)
  const refused = await client.announce('kept/refused', bytesOf(5, 1000))
  expect(refused).toMatchObject({
    status: 507,
    body: { reason: expect.stringMatching(/catalogue.*full/), suggested_remedy: expect.stringContaining('space') },
  })
  expect((await client.download('kept/before')).bytes.equals(bytesOf(1, 1000))).toBe(true)
  expect((await client.post('search/file', { name: 'kept/before' })).status).toBe(200)

  rmSync(join(home, 'filler'))
  expect((await client.upload('kept/after', bytesOf(6, 1000))).status).toBe(200)
  expect(await problems(place)).toEqual([])
}, 120_000)

/** Several processes of one librarian on one PostgreSQL and one set of stores (reliability E2, 8.13). */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { startPostgres, type TestPostgres } from '../../../packages/librarian/test/postgres.ts'
import { seeLibrarian } from './see-librarian.ts'
import { type Server, startServer } from './server.ts'
import { type Announced, type Answer, bytesOf, Uploader } from './uploader.ts'

const MiB = 1 << 20

let directory!: string
let postgres: TestPostgres | undefined
let catalogue!: string
let running: Server[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-two-'))
  for (const name of ['files', 'staging']) await mkdir(join(directory, name))
  postgres = await startPostgres()
  if (!postgres) return
  catalogue = await postgres.createDatabase()
  // The first one makes the schema and the administrator.
  running = [await serve('one', 'api')]
  running.push(await serve('two', 'api'), await serve('three', 'worker'))
}, 120_000)
afterAll(async () => {
  await Promise.all(running.map(server => server.kill()))
  await postgres?.end()
  await rm(directory, { recursive: true })
}, 120_000)

function serve(name: string, role: 'api' | 'worker'): Promise<Server> {
  return startServer({ directory: join(directory, name), name, role, catalogue, stores: [places] })
}

const places = {
  name: 'shared',
  get path() {
    return join(directory, 'files')
  },
  get staging() {
    return join(directory, 'staging')
  },
}

/** All that was acknowledged by any of them. */
const kept: Uploader['kept'] = []

function clients() {
  const urls = running.filter(({ url }) => url !== null).map(({ url }) => url)
  const both = new Uploader(...urls)
  return { both, urls: urls as [string, string] }
}

async function announced(client: Uploader, name: string, content: Uint8Array, url: string): Promise<Announced> {
  const met = await client.announce(name, content, url)
  if ('status' in met) throw new Error(`it must be announced: ${JSON.stringify(met)}`)
  return met
}

test('uploads of one name raced through two processes: one wins, the other hears why, nothing mixes', async () => {
  if (!postgres) return
  const { both, urls } = clients()
  for (let round = 0; round < 6; round++) {
    const name = `raced/${round}`
    const contents = [bytesOf(2 * round, 20_000), bytesOf(2 * round + 1, 20_000)]
    const uploads = await Promise.all(urls.map((url, at) => announced(both, name, contents[at]!, url)))
    await Promise.all(urls.map((url, at) => both.send(uploads[at]!, 0, undefined, url)))
    const ends = await Promise.all(urls.map((url, at) => settled(() => both.commit(uploads[at]!, 'http', url))))
    expect(ends.map(({ status }) => status).sort()).toEqual([200, 409])
    const winner = contents[ends.findIndex(({ status }) => status === 200)]!
    expect((await both.download(name)).bytes.equals(winner)).toBe(true)
  }
  kept.push(...both.kept)
}, 120_000)

test('an upload that goes through both: one writer at a time, the newer is let in, and no byte is lost or doubled', async () => {
  if (!postgres) return
  const { both, urls } = clients()
  const [one, two] = urls
  const content = bytesOf(77, 6 * MiB)
  const upload = await announced(both, 'through/both', content, one)
  expect((await both.send(upload, 0, MiB, one)).status).toBe(204)
  expect((await both.send(upload, MiB, 2 * MiB, two)).status).toBe(204)
  expect(await both.offset(upload, one)).toBe(2 * MiB)

  // A sender whose connection nobody closes, and who comes again by another way.
  const stalled = both.drip(upload, 2 * MiB, one)
  stalled.write(2 * MiB, 3 * MiB)
  await expect
    .poll(() => both.send(upload, 3 * MiB, 4 * MiB, two).then(met => met.status), { timeout: 30_000 })
    .toBe(204)
  expect(await stalled.ended).toBeUndefined()
  expect((await both.send(upload, 4 * MiB, 6 * MiB, one)).status).toBe(204)
  expect((await both.commit(upload, 'http', two)).status).toBe(200)
  expect((await both.download('through/both')).bytes.equals(content)).toBe(true)
  kept.push(...both.kept)
}, 120_000)

test('a process that is killed while it writes is followed by the other at once; what it does is not touched by recovery', async () => {
  if (!postgres) return
  const { both, urls } = clients()
  const [one, two] = urls
  const content = bytesOf(78, 3 * MiB)
  const upload = await announced(both, 'killed/half-way', content, two)
  expect((await both.send(upload, 0, MiB, two)).status).toBe(204)
  const broken = both.drip(upload, MiB, two)
  broken.write(MiB, 2 * MiB)

  // Meanwhile the other one works, through two starts that recover what they find.
  const only = new Uploader(one)
  let isOver = false
  const answers = new Map<number, number>()
  const stream = async (lane: number) => {
    for (let n = 0; !isOver; n++) {
      const { status } = await only.upload(`stream/${lane}-${n}`, bytesOf(lane * 1000 + n, 5000))
      answers.set(status, (answers.get(status) ?? 0) + 1)
    }
  }
  const lanes = [stream(1), stream(2), stream(3)]
  await running[1]!.kill()
  const offset = await both.offset(upload, one)
  expect(offset).toBeGreaterThanOrEqual(MiB)
  expect((await both.send(upload, offset, undefined, one)).status).toBe(204)
  expect((await both.commit(upload, 'http', one)).status).toBe(200)
  running[1] = await serve('two', 'api')
  await running[2]!.kill()
  running[2] = await serve('three', 'worker')
  isOver = true
  await Promise.all(lanes)
  expect([...answers.keys()]).toEqual([200])
  kept.push(...both.kept, ...only.kept)
}, 90_000)

test('when all have ended, what they were told is there, once, and nothing else', async () => {
  if (!postgres) return
  for (const server of running.toReversed()) expect((await server.stop()).code).toBe(0)
  const told = running.flatMap(server => server.log()).filter(({ level }) => level === 'warn' || level === 'error')
  expect(told.map(({ msg, err, error }) => [msg, err ?? error])).toEqual([])
  // One that starts alone finishes what was left.
  running.push(await serve('four', 'worker'))
  expect((await running.at(-1)!.stop()).code).toBe(0)
  const seen = await seeLibrarian(catalogue, [{ name: 'shared', root: places.path, staging: places.staging }])
  expect(kept.length).toBeGreaterThan(10)
  expect(checkInvariants(seen, kept)).toEqual([])
}, 120_000)

/** What is worth another try is tried again. */
async function settled(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await ask()
    const code = answer.body.code
    const isOpen = answer.status === 503 || code === 'NameTaken'
    if (!isOpen || tries === 20) return answer
  }
}

/** Databases that are locked, restarted, killed or stopped under a real server that takes uploads (reliability 5, X). */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { startPostgres } from '../../../packages/librarian/test/postgres.ts'
import { startSource } from '../../../packages/librarian/test/source-process.ts'
import { seeLibrarian } from './see-librarian.ts'
import { type Server, startServer } from './server.ts'
import { startStream } from './stream.ts'
import { bytesOf, Uploader } from './uploader.ts'

let directory: string
let server: Server | undefined
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-databases-'))
  for (const name of ['files', 'staging']) await mkdir(join(directory, name))
})
afterEach(async () => {
  await server?.kill()
  server = undefined
  await rm(directory, { recursive: true })
})

async function serve(catalogue: string): Promise<Uploader> {
  server = await startServer({
    directory: join(directory, 'home'),
    catalogue,
    stores: [{ name: 'files', path: join(directory, 'files'), staging: join(directory, 'staging') }],
  })
  return new Uploader(server.url)
}

/** When it has been stopped, and another one has recovered and swept. */
async function problems(catalogue: string, client: Uploader): Promise<string[]> {
  expect((await server!.stop()).code).toBe(0)
  await serve(catalogue)
  expect((await server!.stop()).code).toBe(0)
  const stores = [{ name: 'files', root: join(directory, 'files'), staging: join(directory, 'staging') }]
  return checkInvariants(await seeLibrarian(catalogue.replace(/^sqlite:/, ''), stores), client.kept)
}

test('a SQLite catalogue that another process locks: writes wait, then 503 with Retry-After and no half work; reads go on', async () => {
  const path = join(directory, 'catalogue.db')
  const client = await serve(`sqlite:${path}`)
  expect((await client.upload('kept/before', bytesOf(1, 1000))).status).toBe(200)
  const pending = await client.announce('kept/pending', bytesOf(2, 1000))
  if ('status' in pending) throw new Error('it must be announced')
  expect((await client.send(pending, 0)).status).toBe(204)

  const holder = startSource('lock-holder', [path])
  await holder.printed(1)
  const asked = performance.now()
  const refused = await Promise.all([client.announce('kept/locked', bytesOf(3, 1000)), client.commit(pending)])
  expect(performance.now() - asked).toBeGreaterThan(1000)
  for (const answer of refused as { status: number; headers: Headers; body: object }[]) {
    expect(answer).toMatchObject({ status: 503, body: { suggested_remedy: expect.stringContaining('again') } })
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect((await client.post('search/file', { name: 'kept/before' })).status).toBe(200)
  expect((await client.download('kept/before')).status).toBe(200)
  holder.child.stdin.end()
  await holder.exited

  await expect.poll(async () => (await client.commit(pending)).status, { timeout: 20_000 }).toBe(200)
  expect((await client.upload('kept/locked', bytesOf(3, 1000))).status).toBe(200)
  expect(await problems(`sqlite:${path}`, client)).toEqual([])
}, 90_000)

test('a PostgreSQL that is restarted, killed and stopped under uploads: nothing is acknowledged that is not kept', async () => {
  const postgres = await startPostgres()
  if (!postgres) return
  try {
    const url = await postgres.createDatabase()
    const client = await serve(url)
    const stream = startStream(client, { lanes: 3, size: 5000 })
    await stream.grown(6)
    await postgres.stop()
    await postgres.start()
    await stream.grown(6)
    await postgres.kill()
    await postgres.start()
    await stream.grown(6)
    await postgres.signal('SIGSTOP')
    await sleep(1500)
    await postgres.signal('SIGCONT')
    await stream.grown(6)
    await stream.end()
    // Whoever was not told that it is kept was told to try again, and nothing else.
    expect([...stream.statuses.keys()].filter(status => status !== 200 && status !== 503)).toEqual([])
    const faults = server!.log().filter(({ level }) => level === 'error')
    expect(faults.map(({ msg }) => msg)).toEqual([])
    expect(await problems(url, client)).toEqual([])
  } finally {
    await postgres.end()
  }
}, 120_000)

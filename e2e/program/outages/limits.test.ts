/** A real server that runs out of descriptors, and one that is told to stop, under uploads (reliability 5). */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { seeLibrarian } from './see-librarian.ts'
import { type Server, startServer } from './server.ts'
import { startStream } from './stream.ts'
import { bytesOf, Uploader } from './uploader.ts'

let directory: string
let server: Server | undefined
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-limits-'))
  for (const name of ['files', 'staging']) await mkdir(join(directory, name))
})
afterEach(async () => {
  await server?.kill()
  server = undefined
  await rm(directory, { recursive: true })
})

async function serve(): Promise<Uploader> {
  server = await startServer({
    directory: join(directory, 'home'),
    catalogue: `sqlite:${join(directory, 'catalogue.db')}`,
    stores: [{ name: 'files', path: join(directory, 'files'), staging: join(directory, 'staging') }],
  })
  return new Uploader(server.url)
}

async function problems(client: Uploader): Promise<string[]> {
  if (server!.isRunning()) expect((await server!.stop()).code).toBe(0)
  await serve()
  expect((await server!.stop()).code).toBe(0)
  const stores = [{ name: 'files', root: join(directory, 'files'), staging: join(directory, 'staging') }]
  return checkInvariants(await seeLibrarian(join(directory, 'catalogue.db'), stores), client.kept)
}

test('without descriptors it backs off: it lives, publishes nothing by halves, and works again when there are some', async () => {
  const client = await serve()
  expect((await client.upload('kept/before', bytesOf(1, 1000))).status).toBe(200)
  const { pid } = server!
  const stream = startStream(client, { lanes: 12, size: 20_000 })
  await stream.grown(5)
  limit(pid, readdirSync(`/proc/${pid}/fd`).length)
  await expect.poll(() => [...stream.statuses.keys()].some(status => status !== 200), { timeout: 30_000 }).toBe(true)
  limit(pid, 1024)
  await stream.grown(5)
  await stream.end()
  expect(server!.isRunning()).toBe(true)
  // Refused as something that passes, or not answered at all; never as a fault of the program.
  expect([...stream.statuses.keys()].filter(status => ![0, 200, 503].includes(status))).toEqual([])
  expect(await problems(client)).toEqual([])
}, 120_000)

function limit(pid: number, descriptors: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:4096`])
}

test('SIGTERM under uploads: what was begun ends, nothing new is taken, exit 0 within 30 s, and all that was told is there', async () => {
  const client = await serve()
  const upload = await client.announce('kept/slow', bytesOf(7, 200_000))
  if ('status' in upload) throw new Error('it must be announced')
  const slow = client.drip(upload, 0)
  slow.write(0, 100_000)
  const stream = startStream(client, { lanes: 4, size: 20_000 })
  await stream.grown(10)

  const told = performance.now()
  const ended = server!.stop()
  // One that was under way when it was told to stop, and comes to its end.
  slow.write(100_000, 200_000)
  expect(await slow.ended).toBe(204)
  expect((await ended).code).toBe(0)
  expect(performance.now() - told).toBeLessThan(30_000)
  await stream.end()
  const statuses = [...stream.statuses.keys()]
  expect(statuses.filter(status => ![0, 200, 503].includes(status))).toEqual([])
  expect(await problems(client)).toEqual([])
}, 120_000)

/** Many `arriero worker` on one PostgreSQL: they share what is to be done, and are killed while they do it (design 7). */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { startPostgres, type TestPostgres } from '../../../packages/librarian/test/postgres.ts'
import { arriero, type Outcome, startArriero } from '../../program.ts'
import { testBytes } from '../server.ts'
import { seeLibrarian } from './see-librarian.ts'
import { authorization, type Server, startServer } from './server.ts'

const WORKERS = 4
const JOBS = 40
/** Of each job. */
const FILES = 2
/** After so many jobs have ended, one of the workers is killed. */
const KILL_AFTER = [4, 10, 16, 22, 28]

let directory!: string
let postgres: TestPostgres | undefined
let catalogue!: string
let origin!: HttpServer
let api: Server | undefined
const workers: Worker[] = []

interface Worker {
  readonly outcome: Promise<Outcome>
  readonly signal: (signal: NodeJS.Signals) => void
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-workers-'))
  for (const name of ['files', 'staging']) await mkdir(join(directory, name))
  postgres = await startPostgres()
  if (!postgres) return
  catalogue = await postgres.createDatabase()
  origin = await startOrigin()
  api = await serve('api')
}, 120_000)
afterAll(async () => {
  for (const { signal } of workers) signal('SIGKILL')
  await Promise.all(workers.map(({ outcome }) => outcome))
  await api?.kill()
  origin?.close()
  await postgres?.end()
  await rm(directory, { recursive: true })
}, 120_000)

const store = () => ({ name: 'shared', path: join(directory, 'files'), staging: join(directory, 'staging') })
const originPort = () => (origin.address() as AddressInfo).port

function serve(role: 'api' | 'worker'): Promise<Server> {
  const ingest = { hosts: ['127.0.0.1'], ports: [originPort()], schemes: ['http'], networks: ['127.0.0.0/8'] }
  return startServer({
    directory: join(directory, 'site'),
    role,
    catalogue,
    stores: [store()],
    settings: { ingest: { ...ingest, jobs_at_once: 2 } },
  })
}

/** With the server's settings; resolves when it works. */
async function startWorker(): Promise<Worker> {
  const { process, outcome } = startArriero(['worker', '--config', join(directory, 'site', 'server.json'), '--json'], {
    timeoutMs: 600_000,
  })
  const ready = new Promise(resolve => process.stdout?.once('data', resolve))
  const ended = outcome.then(({ stderr }) => Promise.reject(new Error(`It ended: ${stderr.slice(-2000)}`)))
  ended.catch(() => {})
  await Promise.race([ready, ended])
  return { outcome, signal: signal => void process.kill(signal) }
}

const contentOf = (name: string) => testBytes(20_000 + Number(name.replaceAll(/\D/g, '')))

/** Each answer takes a while, so that a job can be met half way. */
async function startOrigin(): Promise<HttpServer> {
  const server = createServer(({ url = '', method, headers }, response) => {
    const content = contentOf(url)
    const [, from = '0', to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
    const end = to ? Number(to) + 1 : content.length
    const part = content.subarray(Number(from), end)
    const range = headers.range ? { 'content-range': `bytes ${from}-${end - 1}/${content.length}` } : {}
    setTimeout(() => {
      response.writeHead(headers.range ? 206 : 200, {
        'content-length': part.length,
        'accept-ranges': 'bytes',
        etag: `"${url}"`,
        ...range,
      })
      response.end(method === 'HEAD' ? undefined : part)
    }, 200)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

interface Job {
  readonly job_id: string
  readonly status: string
  readonly done: number
}

async function post<Answer>(path: string, body: object): Promise<Answer> {
  const answer = await fetch(`${api!.url}/api/v2/${path}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(answer.ok, path).toBe(true)
  return (await answer.json()) as Answer
}

const jobs = async () => (await post<{ jobs: Job[] }>('ingest/list', { max_results: JOBS })).jobs
const names = Array.from({ length: JOBS }, (_, job) => Array.from({ length: FILES }, (_, n) => `job/${job}/${n}`))

test('jobs are shared by four workers, and killed at random and started again they do each of them once', async () => {
  if (!postgres) return
  const seed = Math.floor(Math.random() * 2 ** 31)
  console.log(`seed ${seed}`)
  workers.push(...(await Promise.all(Array.from({ length: WORKERS }, startWorker))))
  for (const entries of names) {
    await post('ingest', {
      entries: entries.map(name => ({
        name,
        uri: `http://127.0.0.1:${originPort()}/${name}`,
        size: contentOf(name).length,
        checksum: `sha256:::${createHash('sha256').update(contentOf(name)).digest('hex')}`,
      })),
    })
  }
  const ended = async () => {
    const all = await jobs()
    expect(all.filter(({ status }) => status === 'failed')).toEqual([])
    return all.filter(({ status }) => status === 'done').length
  }
  for (const [round, count] of KILL_AFTER.entries()) {
    await expect.poll(ended, { timeout: 120_000 }).toBeGreaterThanOrEqual(count)
    const victim = (seed + round * 7919) % WORKERS
    workers[victim]!.signal('SIGKILL')
    await workers[victim]!.outcome
    workers[victim] = await startWorker()
  }
  await expect.poll(ended, { timeout: 180_000, interval: 250 }).toBe(JOBS)
  expect((await jobs()).map(({ done }) => done)).toEqual(names.map(() => FILES))
}, 400_000)

test('SIGTERM ends them with 0, and every file is there once and whole', async () => {
  if (!postgres || !api) return
  for (const worker of workers) worker.signal('SIGTERM')
  expect((await Promise.all(workers.map(({ outcome }) => outcome))).map(({ code }) => code)).toEqual(
    workers.map(() => 0),
  )
  expect((await api.stop()).code).toBe(0)
  // One that starts alone finishes what kills have left.
  api = await serve('worker')
  expect((await api.stop()).code).toBe(0)
  const { path, staging } = store()
  const seen = await seeLibrarian(catalogue, [{ name: 'shared', root: path, staging }])
  const kept = names.flat().map(name => ({ name, content: contentOf(name) }))
  expect(seen.files.map(({ name }) => name).toSorted()).toEqual(kept.map(({ name }) => name).toSorted())
  expect(checkInvariants(seen, kept)).toEqual([])
}, 120_000)

test('a catalogue in a file belongs to one process: a worker beside it is refused, and --once runs alone', async () => {
  const site = join(directory, 'alone')
  const stores = [{ name: 'files', path: join(site, 'files'), staging: join(site, 'staging') }]
  for (const { path, staging } of stores) for (const each of [path, staging]) await mkdir(each, { recursive: true })
  const server = await startServer({ directory: site, catalogue: `sqlite:${join(site, 'catalogue.db')}`, stores })
  const config = ['--config', join(site, 'server.json')]
  const refused = await arriero(['worker', ...config])
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/has it open[\s\S]*PostgreSQL/)
  expect((await server.stop()).code).toBe(0)
  for (const command of ['worker', 'serve']) expect((await arriero([command, ...config, '--once'])).code).toBe(0)
  expect((await arriero(['worker', '--data', join(site, 'nowhere')])).code).toBe(2)
}, 60_000)

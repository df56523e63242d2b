/**
 * Fetching by the librarian, as whole processes: `arriero ingest` on a real `arriero serve`, a real origin, and kills in
 * between. A job is the librarian's: it outlives both programs.
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arriero, type Outcome, startArriero } from '../program.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'
import { testBytes } from './server.ts'

interface Origin {
  readonly port: number
  readonly url: string
  /** Bytes of files that went out, by path. */
  readonly sent: Map<string, number>
  /** Resolves when so many requests have come since the origin was started. */
  asked(count: number): Promise<void>
  /** Answers from now on stop after so many bytes, and wait. */
  hold(afterBytes: number | undefined): void
  close(): void
}

let folder!: string
let site!: RunningLibrarian
let origin!: Origin

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-ingest-'))
  await mkdir(join(folder, 'home'))
  origin = await startOrigin()
  site = await startLibrarian(join(folder, 'site'), {
    settings: {
      ingest: {
        hosts: ['127.0.0.1'],
        ports: [origin.port],
        schemes: ['http'],
        networks: ['127.0.0.0/8'],
        items_at_once: 4,
      },
      backups: { every: null },
    },
  })
  const logged = await run(['login', 'here', site.url, '--user', 'admin', '--password-file', site.passwordFile])
  expect(logged.code, logged.stderr).toBe(0)
}, 120_000)

afterAll(async () => {
  await site?.stop()
  origin?.close()
  await rm(folder, { recursive: true, force: true })
})

const settings = () => ({
  cwd: folder,
  env: { HOME: join(folder, 'home'), XDG_STATE_HOME: join(folder, 'state'), HL_CLIENT_CONFIG: undefined },
  timeoutMs: 120_000,
})

function run(args: readonly string[]): Promise<Outcome> {
  return arriero(args, settings())
}

const contentOf = (path: string) => testBytes(150_000 + Number(/\d+/.exec(path)?.[0] ?? 0))
const digestOf = (path: string) => createHash('sha256').update(contentOf(path)).digest('hex')

async function startOrigin(): Promise<Origin> {
  const sent = new Map<string, number>()
  let asked = 0
  let limit: number | undefined
  const server = createServer((request, response) => {
    asked++
    const path = request.url ?? ''
    if (path.includes('missing')) return void response.writeHead(404).end()
    const content = contentOf(path)
    const [, from = '0', to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const end = to ? Number(to) + 1 : content.length
    const part = content.subarray(Number(from), end)
    const range = { 'content-range': `bytes ${from}-${end - 1}/${content.length}` }
    const common = { 'content-length': part.length, 'accept-ranges': 'bytes', etag: `"${path}"` }
    response.writeHead(request.headers.range ? 206 : 200, request.headers.range ? { ...common, ...range } : common)
    send(response, request.method === 'HEAD' ? part.subarray(0, 0) : part, path)
  })
  function send(response: ServerResponse, part: Buffer, path: string): void {
    const bytes = limit === undefined ? part : part.subarray(0, limit)
    sent.set(path, (sent.get(path) ?? 0) + bytes.length)
    if (bytes.length < part.length) response.write(bytes)
    else response.end(bytes)
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    sent,
    async asked(count) {
      const from = asked
      await expect.poll(() => asked - from, { timeout: 60_000, interval: 5 }).toBeGreaterThanOrEqual(count)
    },
    hold(afterBytes) {
      limit = afterBytes
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function list(name: string, rows: readonly { path: string; url?: string; checksum?: string }[]): Promise<string> {
  const lines = rows.map(({ path, url = `${origin.url}/${path}`, checksum = digestOf(path) }) =>
    JSON.stringify({ url, filepath: path, checksum, 'checksum-algorithm': 'sha256' }),
  )
  const file = join(folder, name)
  await writeFile(file, `${lines.join('\n')}\n`)
  return file
}

async function begin(file: string, into: string): Promise<string> {
  const begun = await run(['ingest', file, '--into', into, '--no-wait'])
  expect(begun.code, begun.stderr).toBe(0)
  return begun.stdout.trim()
}

const rowsOf = ({ stdout }: Outcome) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

async function spooled(): Promise<string[]> {
  return (await readdir(join(folder, 'site', 'files', '.arriero', 'spool'))).filter(name => !name.startsWith('.'))
}

describe('arriero ingest', () => {
  test('a job goes on through kills of the librarian at any moment: every row right, nothing twice', async () => {
    const rows = Array.from({ length: 40 }, (_, at) => ({ path: `f${at}` }))
    const job = await begin(await list('many.jsonl', rows), 'set')
    for (const requests of [1, 4, 9, 14]) {
      await origin.asked(requests)
      await site.kill()
      await site.start()
    }
    const followed = await run(['ingest', '--job', job, '--json'])
    expect(followed.code, followed.stderr).toBe(0)
    expect(rowsOf(followed).at(-1)).toMatchObject({ summary: { status: 'done', total: 40, done: 40, failed: 0 } })
    const found = rowsOf(await run(['search', 'set/*', '--limit', '1000', '--json']))
    expect(found.map(({ name }) => name).sort()).toEqual(rows.map(({ path }) => `set/${path}`).sort())
    for (const { name, checksum, instances } of found) {
      expect(checksum).toBe(`sha256:::${digestOf(name.slice(4))}`)
      expect(instances).toHaveLength(1)
    }
    // At worst what was on its way at a kill came twice: four at once, four kills.
    const twice = rows.filter(({ path }) => (origin.sent.get(`/${path}`) ?? 0) > contentOf(path).length)
    expect(twice.length).toBeLessThanOrEqual(16)
    await expect.poll(spooled, { timeout: 20_000 }).toEqual([])
  }, 240_000)

  test('tells each row that failed and why: a wrong digest, a host that is not listed, what is not there', async () => {
    const file = await list('bad.jsonl', [
      { path: 'g1' },
      { path: 'g2', checksum: digestOf('g3') },
      { path: 'g4', url: `http://127.0.0.2:${origin.port}/g4` },
      { path: 'missing5' },
    ])
    const ended = await run(['ingest', file, '--into', 'bad', '--json'])
    expect(ended.code).toBe(1)
    const said = rowsOf(ended)
    expect(said.at(-1)).toMatchObject({ summary: { status: 'failed', total: 4, done: 1, failed: 3 } })
    const reasons = new Map(said.slice(0, -1).map(({ name, reason }) => [name, reason]))
    expect(reasons.get('bad/g2')).toMatch(/sha256/)
    expect(reasons.get('bad/g4')).toMatch(/may be fetched/)
    expect(reasons.get('bad/missing5')).toMatch(/404|not found/i)
    expect(rowsOf(await run(['search', 'bad/*', '--json'])).map(({ name }) => name)).toEqual(['bad/g1'])
    expect(await spooled()).toEqual([])
  }, 240_000)

  test('Ctrl-C ends the program, not the job, and says how to follow it', async () => {
    origin.hold(1000)
    const file = await list('slow.jsonl', [{ path: 'h1' }, { path: 'h2' }])
    const { process: client, outcome } = startArriero(['ingest', file, '--into', 'slow'], settings())
    await origin.asked(1)
    client.kill('SIGINT')
    const stopped = await outcome
    expect(stopped.code).toBe(130)
    const [, job = ''] = /arriero ingest --job (\S+)/.exec(stopped.stderr) ?? []
    expect(job, stopped.stderr).not.toBe('')
    const open = rowsOf(await run(['ingest', '--jobs', '--json'])).find(({ job_id }) => job_id === job)
    expect(open).toMatchObject({ status: 'running', total: 2 })
    origin.hold(undefined)
    await site.kill()
    await site.start()
    const followed = await run(['ingest', '--job', job])
    expect(followed.code, followed.stderr).toBe(0)
  }, 240_000)

  test.each(['--job', '--cancel'])(
    '%s of a job that is not there: exit code 4, and how to find those that are',
    async flag => {
      for (const id of ['NOPE', 'f'.repeat(32)]) {
        const asked = await run(['ingest', flag, id])
        expect(asked.code, asked.stderr).toBe(4)
        expect(asked.stderr).toContain(`There is no job ${id}`)
        expect(asked.stderr).toContain('arriero ingest --jobs')
      }
    },
    60_000,
  )

  test('a list of which no row could be kept: the job has failed, and so has the program', async () => {
    const file = await list('none.jsonl', [{ path: 'missing1' }, { path: 'missing2' }])
    const ended = await run(['ingest', file, '--into', 'none'])
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/^failed \(2 of 2 entries could not be kept; none is kept\): 0 files kept/m)
    const jobs = await run(['ingest', '--jobs'])
    expect(jobs.stdout).toMatch(/^\w{32}\s+failed/m)
  }, 120_000)

  test('a job that is cancelled leaves nothing behind', async () => {
    origin.hold(1000)
    const job = await begin(await list('cancel.jsonl', [{ path: 'i1' }, { path: 'i2' }]), 'cancelled')
    await origin.asked(2)
    await expect.poll(async () => (await spooled()).length, { timeout: 30_000 }).toBeGreaterThan(0)
    const cancelled = await run(['ingest', '--cancel', job])
    expect(cancelled.code, cancelled.stderr).toBe(0)
    await expect.poll(spooled, { timeout: 30_000 }).toEqual([])
    origin.hold(undefined)
    expect(rowsOf(await run(['search', 'cancelled/*', '--json']))).toEqual([])
    const transfers = rowsOf(await run(['transfers', '--json']))
    expect(transfers.filter(({ status }) => /INITIATED|ONGOING|STAGED/i.test(String(status)))).toEqual([])
    const followed = await run(['ingest', '--job', job, '--json'])
    expect(rowsOf(followed).at(-1)).toMatchObject({ summary: { status: 'cancelled' } })
  }, 240_000)

  test('after all of it the stores and the catalogue agree', async () => {
    await site.stop()
    const looked = await run(['doctor', '--catalogue', '--config', join(folder, 'site', 'settings.json'), '--json'])
    expect(rowsOf(looked).filter(({ level }) => level === 'fail')).toEqual([])
    expect(looked.stdout).toContain('stores and catalogue agree')
  }, 120_000)
})

/** Ingest jobs whose source takes 200 ms to answer, with one worker and with four on one PostgreSQL. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres } from '../../packages/librarian/test/postgres.ts'
import { type CaseOptions, type Figure, seconds } from './case.ts'
import { type Served, serve, startWorker } from './serve.ts'

const JOBS = 100
const WAIT_MS = 200
const content = randomBytes(1000)
const checksum = `sha256:::${createHash('sha256').update(content).digest('hex')}`

export async function benchWorkers({ directory, rounds }: CaseOptions): Promise<Figure[]> {
  const postgres = await startPostgres()
  if (!postgres) return []
  const origin = await startOrigin()
  const home = join(directory, 'workers')
  await mkdir(home)
  const ingest = { hosts: ['127.0.0.1'], ports: [origin.port], schemes: ['http'], networks: ['127.0.0.0/8'] }
  try {
    await using served = await serve(home, {
      catalogue: await postgres.createDatabase(),
      role: 'api',
      ingest: { ...ingest, jobs_at_once: 1 },
    })
    const took: Record<number, number[]> = { 1: [], 4: [] }
    for (let round = 0; round < rounds; round++) {
      for (const count of [1, 4]) {
        await using workers = new AsyncDisposableStack()
        for (let n = 0; n < count; n++) workers.use(await startWorker(home))
        took[count]!.push(await seconds(() => runJobs(served, origin.url, `${round}/${count}`)))
      }
    }
    const rate = (count: number) => took[count]!.map(each => JOBS / each)
    const times = rate(4).map((four, round) => four / rate(1)[round]!)
    return [
      { what: '1 worker', unit: 'jobs/s', values: rate(1), isBaseline: true },
      { what: '4 workers', unit: 'jobs/s', values: rate(4) },
      { what: '4 workers instead of 1', unit: 'times', values: times, target: '≥ 3.5 times' },
    ]
  } finally {
    origin.close()
    await postgres.end()
    await rm(home, { recursive: true, force: true })
  }
}

async function runJobs({ librarian }: Served, url: string, prefix: string): Promise<void> {
  const ids = await Promise.all(
    Array.from({ length: JOBS }, async (_, n) => {
      const name = `${prefix}/${n}`
      const entries = [{ name, uri: `${url}/${name}`, checksum, size: content.length }]
      return (await librarian.ingest.create({ entries })).job_id
    }),
  )
  for (;;) {
    const { jobs } = await librarian.ingest.list({ statuses: ['queued', 'running', 'failed'], max_results: JOBS })
    const open = jobs.filter(({ job_id }) => ids.includes(job_id))
    const failed = open.find(({ status }) => status === 'failed')
    if (failed) throw new Error(`a job failed: ${failed.reason}`)
    if (open.length === 0) return
    await sleep(50)
  }
}

async function startOrigin() {
  const server = createServer(({ method, headers }, response) => {
    const [, from = '0', to = '999'] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
    const part = content.subarray(Number(from), Number(to || 999) + 1)
    const range = headers.range ? { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/1000` } : {}
    setTimeout(() => {
      response.writeHead(headers.range ? 206 : 200, { 'content-length': part.length, etag: '"one"', ...range })
      response.end(method === 'HEAD' ? undefined : part)
    }, WAIT_MS)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}`, close: () => server.close() }
}

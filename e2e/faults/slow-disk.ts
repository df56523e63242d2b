/**
 * A disk whose every sync takes 300 ms, under a real server that takes uploads: it must stay responsive (reliability 5). The
 * kernel's part is played by strace, which holds each fsync and fdatasync for so long before it lets it happen.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { authorization, startServer } from '../program/outages/server.ts'
import { startStream } from '../program/outages/stream.ts'
import { Uploader } from '../program/outages/uploader.ts'

const DELAY_US = 300_000
const LIMIT_MS = 250
/** The 99th of 100 is one ping; of 600 it is six, which one hiccup of the machine is not. */
const PINGS = 600
const EVERY_MS = 25

export interface SlowDiskResult {
  readonly problems: string[]
  readonly summary: string
}

/** @param directory empty */
export async function checkSlowDisk(directory: string): Promise<SlowDiskResult> {
  const first = await measure(join(directory, '1'))
  if (first.problems.length === 0) return first
  // Neighbours on the machine make pings slow too; a slow server is slow again.
  console.log(`again slow disk: ${first.problems.join('; ')}`)
  return await measure(join(directory, '2'))
}

async function measure(directory: string): Promise<SlowDiskResult> {
  const [files, staging] = [join(directory, 'files'), join(directory, 'staging')]
  await mkdir(files, { recursive: true })
  await mkdir(staging)
  const calls = 'fsync,fdatasync'
  const server = await startServer({
    directory: join(directory, 'home'),
    prefix: ['strace', '-D', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', `trace=${calls}`].concat([
      '-e',
      `inject=${calls}:delay_enter=${DELAY_US}`,
    ]),
    catalogue: `sqlite:${join(directory, 'catalogue.db')}`,
    stores: [{ name: 'files', path: files, staging }],
  })
  try {
    const client = new Uploader(server.url)
    const stream = startStream(client, { lanes: 6, size: 300_000 })
    await stream.grown(1)
    const times: number[] = []
    const pending: Promise<unknown>[] = []
    for (let n = 0; n < PINGS; n++) {
      pending.push(timed(server.url).then(ms => times.push(ms)))
      await sleep(EVERY_MS)
    }
    await Promise.all(pending)
    const kept = client.kept.length
    await stream.end()
    times.sort((a, b) => a - b)
    const p99 = Math.round(times[Math.floor(times.length * 0.99)]!)
    const median = Math.round(times[Math.floor(times.length / 2)]!)
    const problems: string[] = []
    if (p99 >= LIMIT_MS) problems.push(`p99 of ${PINGS} pings is ${p99} ms, it must be below ${LIMIT_MS}`)
    if (kept < 3) problems.push(`only ${kept} uploads were kept meanwhile`)
    const refused = [...stream.statuses.keys()].filter(status => status !== 200)
    if (refused.length > 0) problems.push(`uploads were answered ${refused.join(', ')}`)
    return { problems, summary: `${PINGS} pings: median ${median} ms, p99 ${p99} ms; ${kept} uploads kept` }
  } finally {
    await server.stop()
  }
}

async function timed(url: string): Promise<number> {
  const from = performance.now()
  const answer = await fetch(`${url}/api/v2/ping/`, {
    method: 'POST',
    body: '{}',
    headers: { authorization, 'content-type': 'application/json' },
  })
  if (answer.status !== 200) throw new Error(`a ping was answered ${answer.status}`)
  await answer.arrayBuffer()
  return performance.now() - from
}

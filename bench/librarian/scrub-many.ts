/**
 * The memory of a server whose scrub walks millions of copies. Each has a row and a name of its own; the names are hard links to a
 * few files of one content, so that each is opened, read and recorded as any other, and the store stays small.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CaseOptions, Figure } from './case.ts'
import { runTask } from './run-task.ts'
import { type Served, serve } from './serve.ts'

/** Of the rows that are read. */
const SHARES = [0, 0.2, 0.4, 0.6, 0.8, 1] as const
const MIB = 2 ** 20

export async function benchScrubMany({ directory, rows }: CaseOptions): Promise<Figure[]> {
  const home = join(directory, 'scrub-many')
  await mkdir(home)
  // Opened once for its schema and its store; filled by a process of its own, whose memory is not the server's.
  await (await serve(home))[Symbol.asyncDispose]()
  execFileSync(process.execPath, [new URL('./seed-copies.ts', import.meta.url).pathname, home, String(rows)])
  const scrub = { task_name: 'scrub', at: '0 0 1 1 *', store_name: 'files', period: 1 }
  const met: number[] = []
  let startSeconds: number
  let seconds: number
  {
    const begun = performance.now()
    await using served = await serve(home, { background: { scrub: [scrub] }, patienceMs: 600_000 })
    startSeconds = (performance.now() - begun) / 1000
    seconds = await walk(served, rows, met)
  }
  await rm(home, { recursive: true, force: true })
  return [
    { what: `until a server with ${rows} copies is ready`, unit: 's', values: [startSeconds] },
    ...SHARES.map((share, at) => ({
      what: `resident memory with ${share * 100} % of ${rows} copies read`,
      unit: 'MiB',
      values: [met[at]! / MIB],
    })),
    { what: 'copies that a scrub reads', unit: 'copies/s', values: [rows / seconds] },
  ]
}

async function walk(served: Served, rows: number, met: number[]): Promise<number> {
  met.push(await served.rss())
  const progress = async ({ read = 0 }: Readonly<Record<string, number>>) => {
    while (met.length < SHARES.length && read >= SHARES[met.length]! * rows) met.push(await served.rss())
  }
  const { seconds, counts } = await runTask(served, 'scrub', { progress, isTimed: true })
  if (counts.read !== rows) throw new Error(`the scrub has read ${counts.read} of ${rows} copies`)
  await progress(counts)
  return seconds
}

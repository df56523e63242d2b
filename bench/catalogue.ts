/** `npm run bench -- catalogue`: how fast a large catalogue answers, and how many changes a second it makes durable. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Catalogue, openCatalogue } from '@arriero/librarian'
import { timeOf, uploaderOf } from './catalogue/seed.ts'

const usage = `usage: npm run bench -- catalogue [--rows N] [--url postgres://…] [--seconds S] [--dir DIR]

  --rows N     files in the catalogue, default 200000
  --url URL    a PostgreSQL database, filled if it is empty; default: SQLite in DIR
  --seconds S  for each number of callers that write, default 5
  --dir DIR    default bench/out`

export async function benchCatalogue(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '200000' },
      url: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      dir: { type: 'string', default: new URL('./out', import.meta.url).pathname },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const rows = Number(values.rows)
  const directory = await mkdtemp(join(values.dir, 'catalogue-'))
  const url = values.url ?? join(directory, 'catalogue.sqlite')
  try {
    if (await isEmpty(url)) seed(url, rows)
    if (!values.url) console.log(`  size of the file: ${((await stat(url)).size / 2 ** 20).toFixed(0)} MiB`)
    const openedFrom = performance.now()
    await using catalogue = await openCatalogue({ url })
    console.log(`  opened and checked in ${seconds(openedFrom)} s`)
    console.log(`  resident memory of this process, all threads, idle: ${memory()} MiB`)
    await searches(catalogue, rows)
    await writes(catalogue, Number(values.seconds))
    console.log(
      `  resident memory of this process, all threads: ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
    )
  } finally {
    await rm(directory, { recursive: true })
  }
  return 0
}

/** Opened for this alone: the schema is made at the first opening. */
async function isEmpty(url: string): Promise<boolean> {
  await using catalogue = await openCatalogue({ url })
  return (await catalogue.files.search({ limit: 1 })).files.length === 0
}

/** In a process of its own: what filling takes is not what the catalogue takes. */
function seed(url: string, rows: number): void {
  const before = performance.now()
  execFileSync(process.execPath, [new URL('./catalogue/seed.ts', import.meta.url).pathname, url, String(rows)])
  console.log(`${rows} files with two copies each, seeded in ${seconds(before)} s`)
}

async function searches(catalogue: Catalogue, rows: number): Promise<void> {
  const some = () => Math.floor(Math.random() * rows)
  const nameOf = async (n: number) => {
    const { files } = await catalogue.files.search({ createTimeWindow: [timeOf(n), timeOf(n)], limit: 1 })
    return files[0]!.name
  }
  const names = await Promise.all(Array.from({ length: 200 }, () => nameOf(some())))
  const name = () => names[Math.floor(Math.random() * names.length)]!
  const window = () => {
    const from = some()
    return [timeOf(from), timeOf(Math.min(rows, from + rows / 20))] as const
  }
  console.log('  searches, one at a time, milliseconds                            p50     p99')
  await timed('by name (target p99 20)', 2000, () => catalogue.files.search({ name: name() }))
  await timed('window of a twentieth, uploader, newest 64 (target p99 50)', 500, () =>
    catalogue.files.search({ createTimeWindow: window(), uploader: uploaderOf(some()) }),
  )
  await timed('newest 64 of a source', 500, () => catalogue.files.search({ source: 'site-3' }))
  await timed('by digest', 500, () => catalogue.files.search({ checksum: `xxh3:::${some()}` }))
  await timed('glob: a directory, newest 64', 200, () =>
    catalogue.files.search({ glob: `${name().split('/').slice(0, 3).join('/')}/*` }),
  )
  await timed('glob: a directory and an ending', 200, () =>
    catalogue.files.search({ glob: `${name().split('/').slice(0, 3).join('/')}/*7.fits` }),
  )
  await timed('glob: a year, newest 64', 50, () => catalogue.files.search({ glob: 'obs/2020/*' }))
  await timed('glob: an ending, newest 64', 50, () => catalogue.files.search({ glob: '*77.fits' }))
  await timed('glob: an ending that nothing has', 3, () => catalogue.files.search({ glob: '*.nothing' }))
  await timed('how many of an uploader', 5, () => catalogue.files.count({ uploader: uploaderOf(1) }))
}

async function writes(catalogue: Catalogue, seconds: number): Promise<void> {
  console.log('  durable changes a second, and milliseconds for one               rate     p50     p99')
  for (const callers of [1, 32, 256]) {
    const until = performance.now() + seconds * 1000
    const taken: number[] = []
    const call = async (caller: number) => {
      for (let n = 0; performance.now() < until; n++) {
        const startedAt = performance.now()
        const key = `${callers}/${caller}/${n}`
        await catalogue.idempotency.begin({ actor: 'bench', key, request: 'a'.repeat(64) })
        taken.push(performance.now() - startedAt)
      }
    }
    await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
    const rate = (taken.length / seconds).toFixed(0)
    console.log(`    ${`${callers} callers`.padEnd(60)}${rate.padStart(8)}${shown(taken)}`)
  }
}

async function timed(what: string, times: number, search: () => Promise<unknown>): Promise<void> {
  const taken: number[] = []
  for (let n = 0; n < times; n++) {
    const startedAt = performance.now()
    await search()
    taken.push(performance.now() - startedAt)
  }
  console.log(`    ${what.padEnd(60)}${shown(taken)}`)
}

function shown(taken: number[]): string {
  const sorted = taken.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return [at(0.5), at(0.99)].map(ms => ms.toFixed(1).padStart(8)).join('')
}

function memory(): string {
  return (process.memoryUsage.rss() / 2 ** 20).toFixed(0)
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}

/** Searches among millions of files, on both databases; one at a time, as a person meets them. */
import { execFileSync } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Catalogue, openCatalogue } from '@arriero/librarian'
import { startPostgres } from '../../packages/librarian/test/postgres.ts'
import { timeOf, uploaderOf } from '../catalogue/seed.ts'
import type { CaseOptions, Figure } from './case.ts'

const names = 2000
const windows = 500

export async function benchSearch(options: CaseOptions): Promise<Figure[]> {
  const root = join(options.directory, 'search')
  await mkdir(root)
  const figures = await measure('embedded', join(root, 'catalogue.sqlite'), options)
  const postgres = await startPostgres()
  if (postgres) {
    try {
      figures.push(...(await measure('postgres', await postgres.createDatabase(), options)))
    } finally {
      await postgres.end()
    }
  }
  await rm(root, { recursive: true, force: true })
  return figures
}

async function measure(engine: string, url: string, { rows, rounds }: CaseOptions): Promise<Figure[]> {
  // Opened once for its schema; filled by a process of its own, whose memory is not the catalogue's.
  await (await openCatalogue({ url })).close()
  execFileSync(process.execPath, [new URL('../catalogue/seed.ts', import.meta.url).pathname, url, String(rows)])
  await using catalogue = await openCatalogue({ url })
  const known = await Promise.all(Array.from({ length: 200 }, () => nameOf(catalogue, some(rows))))
  const [byName, byWindow]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    byName.push(await slowest(names, () => catalogue.files.search({ name: known[some(known.length)]! })))
    byWindow.push(
      await slowest(windows, () => {
        const from = some(rows)
        const window = [timeOf(from), timeOf(Math.min(rows, from + rows / 20))] as const
        return catalogue.files.search({ createTimeWindow: window, uploader: uploaderOf(some(rows)) })
      }),
    )
  }
  const among = `among ${rows} files, p99`
  return [
    { what: `${engine}: a name ${among}`, unit: 'ms', values: byName, target: '≤ 20' },
    { what: `${engine}: window and uploader ${among}`, unit: 'ms', values: byWindow, target: '≤ 50' },
  ]
}

async function nameOf(catalogue: Catalogue, n: number): Promise<string> {
  const { files } = await catalogue.files.search({ createTimeWindow: [timeOf(n), timeOf(n)], limit: 1 })
  return files[0]!.name
}

/** What 99 of 100 are faster than, ms. */
async function slowest(times: number, search: () => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let n = 0; n < times; n++) {
    const startedAt = performance.now()
    await search()
    taken.push(performance.now() - startedAt)
  }
  return taken.toSorted((a, b) => a - b)[Math.floor(times * 0.99)]!
}

function some(below: number): number {
  return Math.floor(Math.random() * below)
}

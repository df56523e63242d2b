/** `npm run bench -- librarian`: what the server does, beside what people would use instead, in alternating rounds. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Spread, spread } from '../packages/cli/src/bench/stats.ts'
import { benchBytes } from './librarian/bytes.ts'
import { benchCalls } from './librarian/calls.ts'
import { type CaseOptions, type Figure, show } from './librarian/case.ts'
import { benchClone } from './librarian/clone.ts'
import { benchCommit } from './librarian/commit.ts'
import { benchLink } from './librarian/link.ts'
import { benchScrub } from './librarian/scrub.ts'
import { benchScrubMany } from './librarian/scrub-many.ts'
import { benchSearch } from './librarian/search.ts'
import { benchWorkers } from './librarian/workers.ts'
import { machine } from './machine.ts'

const usage = `usage: npm run bench -- librarian [--only commit,bytes,calls,clone,link,workers,scrub,scrub-many,search] [--rounds N] [--size MIB] [--files N] [--rows N] [--dir DIR] [--out FILE]

search fills a catalogue of --rows files (5,000,000) on each database first, scrub-many one on SQLite, with a name on the disk for each;
both run only when they are named. link needs root and network namespaces.`

const cases: Readonly<Record<string, (options: CaseOptions) => Promise<Figure[]>>> = {
  commit: benchCommit,
  bytes: benchBytes,
  calls: benchCalls,
  clone: benchClone,
  link: benchLink,
  workers: benchWorkers,
  scrub: benchScrub,
  'scrub-many': benchScrubMany,
  search: benchSearch,
}

export async function benchLibrarian(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: 'commit,bytes,calls,workers' },
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '2048' },
      files: { type: 'string', default: '10000' },
      rows: { type: 'string', default: '5000000' },
      dir: { type: 'string', default: new URL('./out', import.meta.url).pathname },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  await mkdir(values.dir, { recursive: true })
  const directory = await mkdtemp(join(values.dir, 'librarian-'))
  const options = {
    rounds: Number(values.rounds),
    size: Number(values.size) * 2 ** 20,
    files: Number(values.files),
    rows: Number(values.rows),
    directory,
  }
  const results: Record<string, (Figure & Spread)[]> = {}
  try {
    for (const name of values.only.split(',')) {
      const bench = cases[name]
      if (!bench) throw new Error(`there is no case ${name}; there are ${Object.keys(cases).join(', ')}`)
      console.log(name)
      const figures = await bench(options)
      for (const figure of figures) console.log(show(figure))
      results[name] = figures.map(figure => ({ ...figure, ...spread(figure.values) }))
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  if (values.out)
    await writeFile(values.out, `${JSON.stringify({ ...circumstances(options), cases: results }, null, 2)}\n`)
  return 0
}

function circumstances({ rounds, size, files, rows }: CaseOptions) {
  return { at: new Date().toISOString(), machine: machine(), options: { rounds, size, files, rows } }
}

/** `npm run bench -- librarian`: what the server does, beside what people would use instead, in alternating rounds. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchBytes } from './librarian/bytes.ts'
import { benchCalls } from './librarian/calls.ts'
import { type CaseOptions, type Figure, show } from './librarian/case.ts'
import { benchCommit } from './librarian/commit.ts'

const usage = `usage: npm run bench -- librarian [--only commit,bytes,calls] [--rounds N] [--size MIB] [--files N] [--dir DIR] [--out FILE]

Searches among millions of files have a bench of their own: npm run bench -- catalogue`

const cases: Readonly<Record<string, (options: CaseOptions) => Promise<Figure[]>>> = {
  commit: benchCommit,
  bytes: benchBytes,
  calls: benchCalls,
}

export async function benchLibrarian(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: Object.keys(cases).join(',') },
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '2048' },
      files: { type: 'string', default: '10000' },
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
    directory,
  }
  const results: Record<string, Figure[]> = {}
  try {
    for (const name of values.only.split(',')) {
      const bench = cases[name]
      if (!bench) throw new Error(`there is no case ${name}; there are ${Object.keys(cases).join(', ')}`)
      console.log(name)
      const figures = await bench(options)
      for (const figure of figures) console.log(show(figure))
      results[name] = figures
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  if (values.out) await writeFile(values.out, `${JSON.stringify(results, null, 2)}\n`)
  return 0
}

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type CaseId, caseIds, tableScale } from './cases.ts'

export interface GetOptions {
  rounds: number
  cases: CaseId[]
  size: number
  sparseSize: number
  files: number
  rows: number
  /** Where files are written: the disk that is measured. */
  directory: string
  /** Where the report goes. */
  out: string
  /** Leave Arriero out, to try the peers. */
  isPeerOnly: boolean
  hasDownloadPerf: boolean
}

const here = fileURLToPath(new URL('.', import.meta.url))

export const usage = `usage: npm run bench -- get [options]

  --rounds N        alternating rounds of each case (5)
  --only CASE,…     of ${caseIds.join(', ')}
  --size BYTES      of the big file (2 GiB); k, m and g may follow a number
  --sparse-size B   of the sparse file (20 GiB)
  --files N         of 10 KiB in the list (10,000)
  --rows N          of the long list (20,000; 1,000,000 with --full)
  --full            the whole table, at its scale
  --dir DIR         write the files there (bench/out)
  --out DIR         write the report there (bench/out)
  --peer-only       without Arriero
  --download-perf   also write download-perf.txt, one line per run

Writes get.md, get.csv, get.svg and get.jsonl. A target that is missed is reported, and is no error.`

/** `undefined` when help was asked for. Throws on what makes no sense. */
export function parseGetOptions(args: readonly string[]): GetOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', default: caseIds.join(',') },
      size: { type: 'string', default: String(tableScale.size) },
      'sparse-size': { type: 'string', default: String(tableScale.sparseSize) },
      files: { type: 'string', default: String(tableScale.files) },
      rows: { type: 'string' },
      full: { type: 'boolean', default: false },
      dir: { type: 'string', default: `${here}out` },
      out: { type: 'string', default: `${here}out` },
      'peer-only': { type: 'boolean', default: false },
      'download-perf': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return {
    rounds: count('--rounds', values.rounds),
    cases: values.only.split(',').map(toCaseId),
    size: count('--size', values.size),
    sparseSize: count('--sparse-size', values['sparse-size']),
    files: count('--files', values.files),
    rows: count('--rows', values.rows ?? (values.full ? String(tableScale.rows) : '20000')),
    directory: values.dir,
    out: values.out,
    isPeerOnly: values['peer-only'],
    hasDownloadPerf: values['download-perf'],
  }
}

const powers: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

function count(option: string, text: string): number {
  const [, digits, suffix] = /^(\d+)([kmg]?)$/i.exec(text.replaceAll(/[,_]/g, '')) ?? []
  const value = Number(digits) * powers[suffix?.toLowerCase() ?? '']!
  if (!(value >= 1)) throw new Error(`Cannot read ${option}: must be a positive number, got ${text}`)
  return value
}

function toCaseId(text: string): CaseId {
  const id = caseIds.find(id => id === text.trim())
  if (!id) throw new Error(`Cannot find case ${text}: must be of ${caseIds.join(', ')}`)
  return id
}

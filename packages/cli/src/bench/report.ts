/** `arriero bench report`: earlier results as tables and pictures. */

import { writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import { type Context, printJson } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { didYouMean } from '../suggest.ts'
import { writeReason } from '../system-error.ts'
import { groupRecords } from './groups.ts'
import { formatRecords, type OutputFormat } from './output.ts'
import { readRecords } from './read-records.ts'
import type { BenchRecord } from './record.ts'

export interface ReportFlags {
  readonly output?: string
  readonly format?: OutputFormat
}

const kinds = ['.md', '.csv', '.svg', '.html'] as const

export async function reportBench(files: string[], flags: ReportFlags, context: Context): Promise<number> {
  const kind = flags.output === undefined ? undefined : kindOf(flags.output)
  if (flags.format !== undefined && flags.output !== undefined) {
    throw new ProgramError('Usage', '--format is for stdout; the name behind --output says what the file shall be.')
  }
  const records = files.flatMap(file => readRecords(file))
  if (flags.output !== undefined) await writeReport(flags.output, kind!, records)
  else if (context.flags.json) printJson(context, groupRecords(records))
  else {
    const { columns } = context.terminal.stdout
    context.terminal.stdout.write(formatRecords(records, flags.format ?? 'table', { columns }))
  }
  return exitCodes.ok
}

function kindOf(path: string): (typeof kinds)[number] {
  const extension = extname(path).toLowerCase()
  const kind = kinds.find(each => each === extension)
  if (kind) return kind
  throw new ProgramError(
    'Usage',
    `Cannot make ${path}: the name must end with .md, .csv, .svg or .html.${didYouMean(extension, kinds)}`,
  )
}

async function writeReport(path: string, kind: (typeof kinds)[number], records: readonly BenchRecord[]): Promise<void> {
  if (kind === '.svg' || kind === '.html') return drawRecords(path, records)
  const text = formatRecords(records, kind === '.md' ? 'markdown' : 'csv', { columns: 80 })
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new ProgramError('Disk', `Cannot write ${path}: ${writeReason(error)}`, { cause: error })
  }
}

export async function drawRecords(path: string, records: readonly BenchRecord[]): Promise<void> {
  const { drawBench } = await import('./picture.ts')
  const { writeDrawing } = await import('../plot/write-drawing.ts')
  writeDrawing(path, await drawBench(groupRecords(records)))
}

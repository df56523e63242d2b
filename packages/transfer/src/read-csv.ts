/** Rows of a table for whoever computes with them; what is to be fetched comes from `parseManifest`. */
import { createReadStream } from 'node:fs'
import { diskError } from './disk-error.ts'
import { TransferError } from './errors.ts'
import { PendingBytes, withoutMark } from './manifest/bytes.ts'
import { splitCells } from './manifest/csv.ts'
import { RowProblem, refuse, show } from './manifest/problem.ts'
import { RecordSplitter } from './manifest/records.ts'

/** Options of `readCsv()`. */
export interface CsvOptions<Column extends string = string> {
  /** Columns that must be there, by their names in the header, in any order. Others are left out. Default: every column. */
  readonly columns?: readonly Column[] | undefined
  /** Default: a tab where the name ends with `.tsv`, else a comma. */
  readonly delimiter?: ',' | '\t' | undefined
  /** How messages call it. Default: the path, or `the table`. */
  readonly name?: string | undefined
  /** Told of a row that cannot be read, in its place; it is then passed over. Default: its error is thrown. */
  readonly onBadRow?: ((error: TransferError, line: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A row by the names of its columns. */
export interface CsvRow<Column extends string = string> {
  /** Line on which it begins, from 1; the header has line 1. */
  readonly line: number
  /** As they are written, without their quotes; an object without a prototype. */
  readonly cells: Readonly<Record<Column, string>>
}

/**
 * Reads a table (RFC 4180, UTF-8, with a header) row by row, in bounded memory. Quoted cells may hold delimiters, line
 * ends and doubled quotes. Empty cells behind the last column are passed over, and so are blank lines.
 *
 * @param input a file, or bytes as they come
 * @throws TransferError Usage when the header lacks a column, and for a row that cannot be read unless `onBadRow` is
 *   given: it names file and line; Disk when the file cannot be read; errors of `input` pass through.
 * @example
 * ```ts
 * for await (const { line, cells } of readCsv('stars.csv', { columns: ['name', 'magnitude'] })) {
 *   console.log(line, cells.name, Number(cells.magnitude))
 * }
 * ```
 */
export async function* readCsv<Column extends string = string>(
  input: string | AsyncIterable<Uint8Array>,
  options: CsvOptions<Column> = {},
): AsyncGenerator<CsvRow<Column>, void, undefined> {
  const { name = typeof input === 'string' ? input : 'the table', signal } = options
  const table = new Table<Column>(name, options)
  for await (const chunk of typeof input === 'string' ? bytesOf(input) : input) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      signal?.throwIfAborted()
      yield* rowsOf(table, options, () => table.push(chunk.subarray(at, at + PIECE)))
    }
  }
  yield* rowsOf(table, options, () => table.end())
}

/** Bytes parsed at once: bounds how many rows wait. */
const PIECE = 64 * 1024

/** The rows of one step; those before a throw come first. */
function* rowsOf<Column extends string>(
  table: Table<Column>,
  { onBadRow }: CsvOptions<Column>,
  step: () => void,
): Generator<CsvRow<Column>> {
  let failure: unknown
  try {
    step()
  } catch (error) {
    failure = error
  }
  for (const row of table.take()) {
    if (!('error' in row)) yield row
    else if (onBadRow) onBadRow(row.error, row.line)
    else throw row.error
  }
  if (failure !== undefined) throw failure
}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file)
  } catch (error) {
    throw diskError(error, 'read', file)
  }
}

interface BadCsvRow {
  readonly line: number
  readonly error: TransferError
}

class Table<Column extends string> {
  readonly #name: string
  readonly #columns: readonly Column[] | undefined
  readonly #delimiter: ',' | '\t'
  readonly #records: RecordSplitter
  /** The first bytes, until they tell whether they are a byte order mark. */
  readonly #head = new PendingBytes()
  #hasBegun = false
  #header: Header<Column> | undefined
  #rows: (CsvRow<Column> | BadCsvRow)[] = []

  constructor(name: string, { columns, delimiter }: CsvOptions<Column>) {
    this.#name = name
    this.#columns = columns
    this.#delimiter = delimiter ?? (name.endsWith('.tsv') ? '\t' : ',')
    const handler = {
      record: (text: string, line: number) => this.#read(text, line),
      unreadable: (problem: string, line: number) => this.#refuse(problem, line),
    }
    this.#records = new RecordSplitter(handler, this.#delimiter.charCodeAt(0))
  }

  push(chunk: Uint8Array): void {
    if (this.#hasBegun) return this.#records.push(chunk)
    const head = this.#head.append(chunk)
    if (head.length >= 3) this.#begin(head)
  }

  end(): void {
    if (!this.#hasBegun) this.#begin(this.#head.view())
    this.#records.end()
    if (!this.#header) throw this.#broken('it must begin with a header, got nothing')
  }

  take(): (CsvRow<Column> | BadCsvRow)[] {
    return this.#rows.splice(0)
  }

  #begin(head: Buffer): void {
    this.#hasBegun = true
    this.#records.push(withoutMark(head, this.#name))
  }

  #read(text: string, line: number): void {
    if (text.trim() === '') return
    try {
      const cells = splitCells(text, this.#delimiter)
      if (this.#header) this.#rows.push({ line, cells: pick(this.#header, cells) })
      else this.#header = readHeader(cells, this.#columns)
    } catch (error) {
      if (!(error instanceof RowProblem)) throw error
      this.#refuse(error.message, line)
    }
  }

  #refuse(problem: string, line: number): void {
    if (!this.#header) throw this.#broken(problem, line)
    const what = `Cannot use line ${line} of ${this.#name}: ${problem}`
    const error = new TransferError('Usage', what, { file: this.#name, remedy: 'Correct the row.' })
    this.#rows.push({ line, error })
  }

  #broken(problem: string, line?: number): TransferError {
    const what = `Cannot read ${this.#name}${line === undefined ? '' : ` (line ${line})`}: ${problem}`
    return new TransferError('Usage', what, { file: this.#name, remedy: 'Correct the table.' })
  }
}

interface Header<Column extends string> {
  /** Where the wanted columns stand. */
  readonly places: readonly (readonly [column: Column, at: number])[]
  /** Cells up to the last one with a name. */
  readonly width: number
}

function readHeader<Column extends string>(
  cells: readonly string[],
  columns: readonly Column[] | undefined,
): Header<Column> {
  const names = cells.map(cell => cell.trim())
  const wanted = columns ?? (names.filter(name => name !== '') as Column[])
  const missing = wanted.filter(column => !names.includes(column))
  if (missing.length > 0) {
    const what = missing.length === 1 ? 'a column' : 'columns'
    refuse(`the header must have ${what} ${missing.map(show).join(', ')}, got ${names.map(show).join(', ')}`)
  }
  const twice = wanted.find(column => names.indexOf(column) !== names.lastIndexOf(column))
  if (twice !== undefined) refuse(`every column must have a name of its own, got ${show(twice)} twice`)
  return {
    places: wanted.map(column => [column, names.indexOf(column)] as const),
    width: names.findLastIndex(name => name !== '') + 1,
  }
}

function pick<Column extends string>({ places, width }: Header<Column>, cells: readonly string[]) {
  const isWhole = cells.length >= width && cells.slice(width).every(cell => cell.trim() === '')
  if (!isWhole) refuse(`a row must have ${width} cells as the header has, got ${cells.length}`)
  const picked: Record<string, string> = Object.create(null)
  for (const [column, at] of places) picked[column] = cells[at] as string
  return picked as Record<Column, string>
}

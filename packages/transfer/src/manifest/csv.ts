import type { Fields } from './entry.ts'
import type { FormParser } from './form.ts'
import { RowProblem, refuse, show } from './problem.ts'
import { RecordSplitter } from './records.ts'
import type { AddOptions, Rows } from './rows.ts'
import { shapeOfColumns } from './shape.ts'

const GDC_QUOTE = '#'

/**
 * CSV (RFC 4180) or tab-separated values, with a header that names the fields and so says what the rows are (see
 * `shapeOfColumns`). Cells may be quoted in both, an empty cell is an absent field, `urls` holds several URLs between
 * blanks, and `headers` and `checksums` hold JSON objects. The Genomic Data Commons quotes with `#`.
 */
export class TableParser implements FormParser {
  readonly #rows: Rows
  readonly #delimiter: string
  readonly #records: RecordSplitter
  readonly #idColumn: string | undefined
  #columns: readonly string[] | undefined
  #options: AddOptions = {}
  #quote = '"'

  constructor(rows: Rows, delimiter: ',' | '\t', idColumn?: string) {
    this.#rows = rows
    this.#delimiter = delimiter
    this.#idColumn = idColumn
    this.#records = new RecordSplitter(
      {
        record: (text, line) => this.#read(text, line),
        unreadable: (problem, line) => this.#unreadable(problem, line),
      },
      delimiter.charCodeAt(0),
    )
  }

  push(chunk: Uint8Array): void {
    this.#records.push(chunk)
  }

  end(): void {
    this.#records.end()
    if (this.#columns === undefined) throw this.#rows.broken(1, 'a table must begin with a header, got nothing')
  }

  #read(text: string, line: number): void {
    if (text.trim() === '') return
    const columns = this.#columns
    if (columns)
      this.#rows.add(line, () => fieldsOf(columns, splitCells(text, this.#delimiter, this.#quote)), this.#options)
    else this.#columns = this.#readHeader(text, line)
  }

  #readHeader(text: string, line: number): readonly string[] {
    try {
      const quote = text.startsWith(GDC_QUOTE) ? GDC_QUOTE : '"'
      const columns = splitCells(text, this.#delimiter, quote).map(name => name.trim())
      const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index)
      if (twice !== undefined) refuse('every column must have a name of its own', twice)
      if (columns.includes('__proto__')) refuse('no column may be called __proto__')
      const shape = shapeOfColumns(columns, this.#idColumn)
      this.#options = { shape }
      if (shape.scheme === 'gdc') this.#quote = this.#records.quote = GDC_QUOTE
      return columns
    } catch (error) {
      throw error instanceof RowProblem ? this.#rows.broken(line, error.message) : error
    }
  }

  #unreadable(problem: string, line: number): void {
    if (this.#columns === undefined) throw this.#rows.broken(line, `the header cannot be read: ${problem}`)
    this.#rows.bad(line, problem)
  }
}

function fieldsOf(columns: readonly string[], cells: readonly string[]): Fields {
  if (cells.length !== columns.length) {
    refuse(`a row must have ${columns.length} cells as the header has, got ${cells.length}`)
  }
  const fields: Record<string, string> = {}
  for (let at = 0; at < columns.length; at++) if (cells[at] !== '') fields[columns[at]!] = cells[at]!
  return fields
}

/** @throws RowProblem when text follows a closing quote. */
export function splitCells(record: string, delimiter: string, quote = '"'): string[] {
  if (!record.includes(quote)) return record.split(delimiter)
  const cells: string[] = []
  for (let at = 0; ; at++) {
    if (record[at] === quote) {
      const end = closingQuote(record, at, quote)
      cells.push(record.slice(at + 1, end).replaceAll(quote + quote, quote))
      at = end + 1
      if (at < record.length && record[at] !== delimiter) {
        refuse('a closing quote must be followed by a delimiter', record.slice(end, end + 20))
      }
    } else {
      const end = record.indexOf(delimiter, at)
      cells.push(record.slice(at, end < 0 ? record.length : end))
      at = end < 0 ? record.length : end
    }
    if (at >= record.length) return cells
  }
}

function closingQuote(record: string, open: number, quote: string): number {
  for (let at = record.indexOf(quote, open + 1); at >= 0; at = record.indexOf(quote, at + 2)) {
    if (record[at + 1] !== quote) return at
  }
  return refuse(`a quoted cell must be closed`, show(record.slice(open, open + 20)))
}

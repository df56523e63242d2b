import type { Fields } from './entry.ts'
import type { FormParser } from './form.ts'
import { RowProblem, refuse, show } from './problem.ts'
import { RecordSplitter } from './records.ts'
import type { Rows } from './rows.ts'

/** Which records a table's header makes; a form with other columns (GDC, Gen3) brings its own. */
export type HeaderCheck = (columns: readonly string[]) => string | undefined

/**
 * CSV (RFC 4180) or tab-separated values, with a header that names the fields. Cells may be quoted in both, an empty
 * cell is an absent field, `urls` holds several URLs between blanks, and `headers` and `checksums` hold JSON objects.
 */
export class TableParser implements FormParser {
  readonly #rows: Rows
  readonly #delimiter: string
  readonly #records: RecordSplitter
  readonly #check: HeaderCheck
  #columns: readonly string[] | undefined

  constructor(rows: Rows, delimiter: ',' | '\t', check: HeaderCheck = needsUrl) {
    this.#rows = rows
    this.#delimiter = delimiter
    this.#check = check
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
    if (columns) this.#rows.add(line, () => fieldsOf(columns, splitCells(text, this.#delimiter)))
    else this.#columns = this.#readHeader(text, line)
  }

  #readHeader(text: string, line: number): readonly string[] {
    try {
      const columns = splitCells(text, this.#delimiter).map(name => name.trim())
      const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index)
      if (twice !== undefined) refuse('every column must have a name of its own', twice)
      if (columns.includes('__proto__')) refuse('no column may be called __proto__')
      const problem = this.#check(columns)
      return problem === undefined ? columns : refuse(problem, columns.join(this.#delimiter))
    } catch (error) {
      throw error instanceof RowProblem ? this.#rows.broken(line, error.message) : error
    }
  }

  #unreadable(problem: string, line: number): void {
    if (this.#columns === undefined) throw this.#rows.broken(line, `the header cannot be read: ${problem}`)
    this.#rows.bad(line, problem)
  }
}

function needsUrl(columns: readonly string[]): string | undefined {
  return columns.includes('url') || columns.includes('urls') ? undefined : 'a column must be called url or urls'
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
export function splitCells(record: string, delimiter: string): string[] {
  if (!record.includes('"')) return record.split(delimiter)
  const cells: string[] = []
  for (let at = 0; ; at++) {
    if (record[at] === '"') {
      const end = closingQuote(record, at)
      cells.push(record.slice(at + 1, end).replaceAll('""', '"'))
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

function closingQuote(record: string, open: number): number {
  for (let at = record.indexOf('"', open + 1); at >= 0; at = record.indexOf('"', at + 2)) {
    if (record[at + 1] !== '"') return at
  }
  return refuse(`a quoted cell must be closed`, show(record.slice(open, open + 20)))
}

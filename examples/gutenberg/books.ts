import { readCsv } from '@arriero/transfer'

export interface Book {
  /** For messages: the number. */
  readonly id: string
  /** As the mirror counts them. */
  readonly number: number
  readonly author: string
  readonly title: string
  /** Where the table names it first. */
  readonly line: number
}

/** A row that names no book to fetch. */
export interface BadRow {
  /** For messages: the line. */
  readonly id: string
  readonly line: number
  readonly why: string
}

/**
 * The books of a table with the columns Author, FileNumber and Title, each once, and in their places the rows that name
 * none.
 *
 * @throws TransferError Usage when a column is missing; Disk when the file cannot be read
 */
export async function* readBooks(file: string, signal?: AbortSignal): AsyncGenerator<Book | BadRow> {
  const lines = new Map<number, number>()
  const bad: BadRow[] = []
  const options = {
    columns: ['Author', 'FileNumber', 'Title'],
    onBadRow: (error: Error, line: number) => bad.push(badRow(line, error.message)),
    signal,
  } as const
  for await (const { line, cells } of readCsv(file, options)) {
    yield* bad.splice(0)
    const number = numberOf(cells.FileNumber)
    const before = lines.get(number ?? 0)
    if (number === undefined) {
      const met = JSON.stringify(cells.FileNumber)
      yield badRow(line, `Cannot use line ${line} of ${file}: FileNumber must be a whole number from 1, got ${met}`)
    } else if (before !== undefined) {
      yield badRow(line, `Cannot use line ${line} of ${file}: book ${number} is on line ${before} already`)
    } else {
      lines.set(number, line)
      yield { id: String(number), number, author: cells.Author, title: cells.Title, line }
    }
  }
  yield* bad
}

export function isBadRow(row: Book | BadRow): row is BadRow {
  return 'why' in row
}

function badRow(line: number, why: string): BadRow {
  return { id: `line ${line}`, line, why }
}

/** Undefined for anything but the plain digits of a number: they name a directory. */
function numberOf(text: string): number | undefined {
  return /^[1-9]\d{0,9}$/.test(text.trim()) ? Number(text) : undefined
}

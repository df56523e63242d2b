import { createHash } from 'node:crypto'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { kinds } from './kinds.ts'
import { type PlannedBook, type PlanOptions, planBooks } from './plan.ts'

export interface Mirror {
  /** What an FTP server is to serve. */
  readonly root: string
  /** The table of its books, and of some rows that name none. */
  readonly csv: string
  /** For `sha256sum -c` in the directory of the downloads. */
  readonly sums: string
  readonly books: readonly PlannedBook[]
  /** Lines of the table that name no book, or one that was named before. */
  readonly badLines: readonly number[]
}

/** Writes a mirror below a directory: the tree, `books.csv`, `expected.sha256`. */
export async function writeMirror(directory: string, options: PlanOptions = {}): Promise<Mirror> {
  const root = join(directory, 'mirror')
  await mkdir(root, { recursive: true })
  const books: PlannedBook[] = []
  const sums: string[] = []
  for (const book of planBooks(options)) {
    books.push(book)
    await writeBook(root, book)
    sums.push(...sumsOf(book))
  }
  const { text, badLines } = tableOf(books)
  const paths = { csv: join(directory, 'books.csv'), sums: join(directory, 'expected.sha256') }
  await writeFile(paths.csv, text)
  await writeFile(paths.sums, sums.join(''))
  return { root, ...paths, books, badLines }
}

async function writeBook(root: string, { number, kind, directory, text, time }: PlannedBook): Promise<void> {
  const { beside } = kinds[kind]
  if (!beside) return
  const place = join(root, directory)
  await mkdir(place, { recursive: true })
  // Listings come in the order of creation from some servers: the decoys are first.
  for (const path of beside(number)) {
    await mkdir(join(place, path.endsWith('/') ? path : dirname(path)), { recursive: true })
    if (!path.endsWith('/')) await writeFile(join(place, path), `This is ${path}, and not the book.\r\n`)
  }
  if (!text) return
  const path = join(place, text.name)
  await writeFile(path, text.book.bytes)
  await utimes(path, time / 1000, time / 1000)
}

function sumsOf({ number, text }: PlannedBook): string[] {
  if (!text) return []
  const left = text.book.left({ markers: 'narrow', lineEndings: 'once', encoding: 'latin1' })
  const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  return [`${sum(text.book.bytes)}  ${number}.txt\n`, `${sum(left ?? new Uint8Array())}  ${number}-mod.txt\n`]
}

/** The table, with some rows among the books that cannot be used. */
function tableOf(books: readonly PlannedBook[]): { text: string; badLines: number[] } {
  const badLines: number[] = []
  let text = 'Author,FileNumber,Title\n'
  const lines = () => text.split('\n').length
  for (const [index, { author, number, title }] of books.entries()) {
    text += `${cell(author)},${number},${cell(title)}${index % 4 === 3 ? ',,' : ''}\n`
    const bad = [`Nobody,number ${index},Bad\n`, 'Nobody,17\n', `${cell(author)},${number},Again\n`][index - 4]
    if (bad === undefined) continue
    badLines.push(lines())
    text += bad
  }
  return { text, badLines }
}

function cell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

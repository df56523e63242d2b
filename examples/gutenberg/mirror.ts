/**
 * Makes a small mirror to try the example on, the same for the same seed:
 *
 *     node examples/gutenberg/mirror.ts DIR --books 200
 *
 * DIR/mirror is what an FTP server is to serve, DIR/books.csv the table, DIR/expected.sha256 what the downloads must be.
 * Options: --books N (20), --seed N (1), --shortest and --longest CHARACTERS of a text (20000, 1000000).
 */
import { parseArgs } from 'node:util'
import { writeMirror } from './mirror/write.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    books: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    shortest: { type: 'string', default: '20000' },
    longest: { type: 'string', default: '1000000' },
  },
})
const [directory, ...others] = positionals
if (directory === undefined || others.length > 0) {
  console.error('usage: node examples/gutenberg/mirror.ts DIR [--books N] [--seed N] [--shortest N] [--longest N]')
  process.exit(2)
}

const { root, csv, sums, books } = await writeMirror(directory, {
  books: toNumber('books'),
  seed: toNumber('seed'),
  shortest: toNumber('shortest'),
  longest: toNumber('longest'),
})
const bytes = books.reduce((sum, { text }) => sum + (text?.book.bytes.length ?? 0), 0)
const texts = books.filter(({ text }) => text).length
console.log(JSON.stringify({ root, csv, sums, books: books.length, texts, bytes }))

function toNumber(name: keyof typeof values): number {
  const number = Number(values[name])
  if (Number.isSafeInteger(number) && number >= 1) return number
  console.error(`Cannot read --${name} ${values[name]}: it must be a whole number from 1`)
  process.exit(2)
}

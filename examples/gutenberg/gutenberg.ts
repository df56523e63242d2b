/**
 * Books from a mirror of Project Gutenberg, without what stands before and behind them:
 *
 *     arriero run examples/gutenberg/gutenberg.ts --option csv=books.csv
 *
 * README.md beside this file tells more.
 */
import { define, pipeline, TransferError } from '@arriero/transfer'
import { readBooks } from './books.ts'
import { type Shape, type ShapeOptions, shaped, type Times } from './shapes.ts'

const SHAPES = ['sequential', 'inline', 'pooled'] as const satisfies Shape[]

export default define({
  about: 'Fetches the books of a table from a mirror of Project Gutenberg, and cleans them.',
  options: {
    csv: { about: 'table with the columns Author, FileNumber and Title' },
    mirror: { about: 'root of the mirror', default: 'ftp://aleph.gutenberg.org/' },
    downloads: { about: 'where N.txt and N-mod.txt go', default: 'downloads' },
    shape: {
      about: 'how the work is done; all: each of them in turn, into a directory of its own',
      default: 'pooled',
      choices: [...SHAPES, 'all'],
    },
    listings: { about: 'directories that are listed at once', default: 6 },
    lineEndings: { about: 'exact: every line end doubled', default: 'once', choices: ['once', 'exact'] },
    markers: { about: 'wide: also those of other books', default: 'narrow', choices: ['narrow', 'wide'] },
    encoding: { about: 'kind: UTF-8 where the name ends with -0.txt', default: 'latin1', choices: ['latin1', 'kind'] },
    work: { about: 'milliseconds that cleaning a book computes at least', default: 0 },
  },
  async make({ csv, mirror, downloads, shape, listings, lineEndings, markers, encoding, work }) {
    if (!(listings >= 1)) throw new TransferError('Usage', `The option listings must be at least 1, got ${listings}`)
    // A table that cannot be used is told before anything is fetched.
    for await (const _ of readBooks(csv)) break
    const cleaning = { lineEndings, markers, encoding: encoding === 'kind' ? undefined : encoding, workMs: work }
    const options = { csv, mirror, downloads, listings, cleaning }
    return shape === 'all' ? compared(options) : shaped({ ...options, shape }, tell)
  },
})

/** The shapes as items, one after the other. */
function compared(options: Omit<ShapeOptions, 'shape'>) {
  const { downloads } = options
  return pipeline(SHAPES).map(
    async (shape, { engine, signal, warn }) => {
      const books = shaped({ ...options, shape, downloads: `${downloads}/${shape}` }, tell)
      const { failed } = await books.run({ engine, signal })
      if (failed > 0) warn(`${failed} of the books failed; --option shape=${shape} tells which`)
    },
    { name: 'shape', concurrency: 1, ordered: true },
  )
}

/** Beside what the program says: its own output may be read by another program. */
function tell({ shape, totalMs, downloadMs }: Times): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  console.error(`${shape}: ${seconds(totalMs)} in total, ${seconds(downloadMs)} for the downloads`)
}

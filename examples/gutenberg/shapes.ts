/** The same books in three shapes, and how long each of them took. */
import { type CompletePipeline, type PipelineSummary, pipeline, type Written } from '@arriero/transfer'
import { type BadRow, type Book, readBooks } from './books.ts'
import { encodingOf } from './clean.ts'
import { type CleanJob, cleanBook } from './clean-book.ts'
import { locateOn } from './locate.ts'
import { timed } from './timed.ts'

/**
 * `sequential`: one book after the other. `inline`: many at once, cleaned in between where everything else runs, too.
 * `pooled`: many at once, cleaned in threads while others arrive.
 */
export type Shape = 'sequential' | 'inline' | 'pooled'

export interface ShapeOptions {
  readonly shape: Shape
  readonly csv: string
  /** The root of the mirror, e.g. `ftp://aleph.gutenberg.org/`. */
  readonly mirror: string
  /** Where `N.txt` and `N-mod.txt` go. */
  readonly downloads: string
  /** Directories listed at once. They and what is fetched share connections, of which the engine has its own limit. */
  readonly listings: number
  /** But for the path. Without an encoding, books are read as their kind tells. */
  readonly cleaning: Omit<CleanJob, 'path'>
}

export interface Times {
  readonly shape: Shape
  readonly totalMs: number
  /** Until the last book was here; of one book after the other, all but the cleaning. */
  readonly downloadMs: number
}

type Books = CompletePipeline<Book | BadRow, Written>

/** @param onTimes told when a run has come to its end */
export function shaped(options: ShapeOptions, onTimes: (times: Times) => void): Books {
  const { shape, csv, mirror, downloads, listings, cleaning } = options
  let lastAt = 0
  const arrived = ({ path, uri }: { path: string; uri: string }): CleanJob => {
    lastAt = performance.now()
    return { ...cleaning, encoding: cleaning.encoding ?? encodingOf(uri), path }
  }
  const fetched = pipeline(() => readBooks(csv), { key: ({ id }) => id })
    .locate(locateOn(mirror), { concurrency: listings })
    // The file takes over the time of the mirror's: by it the next run sees that nothing has changed.
    .fetch({ directory: downloads, ifExists: 'repair', preserveTime: true })
    .map(arrived)
  const cleaned =
    shape === 'pooled'
      ? fetched.map<typeof cleanBook>(new URL('./clean-book.ts', import.meta.url), 'cleanBook')
      : fetched.map(cleanBook)
  const books = cleaned.write((_, { item }) => `${item.id}-mod.txt`, { directory: downloads })
  const timesOf = ({ totalMs, stages }: PipelineSummary, beganAt: number): Times => {
    const busyMs = stages.filter(({ name }) => name === 'locate' || name === 'fetch').map(stage => stage.busyMs)
    const downloadMs = shape === 'sequential' ? busyMs.reduce((sum, ms) => sum + ms) : Math.max(0, lastAt - beganAt)
    return { shape, totalMs, downloadMs }
  }
  return timed(books, shape === 'sequential' ? { maxItems: 1 } : {}, (summary, at) => onTimes(timesOf(summary, at)))
}

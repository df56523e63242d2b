/** One after the other, downloads first, then the cleaning: as a first script would do it. */
import { join } from 'node:path'
import { download, type Engine } from '@arriero/transfer'
import { type Book, isBadRow, readBooks } from './books.ts'
import { encodingOf } from './clean.ts'
import { type CleanFileOptions, cleanFile } from './clean-file.ts'
import { type Located, locate } from './locate.ts'

export interface Setting {
  readonly csv: string
  /** The root of the mirror. */
  readonly mirror: string
  /** Where `N.txt` and `N-mod.txt` go. */
  readonly downloads: string
  readonly engine: Engine
  readonly signal?: AbortSignal | undefined
  readonly cleaning?: CleanFileOptions | undefined
  /** Read books as their kind tells, not all as ISO-8859-1. Default false. */
  readonly isEncodingByKind?: boolean | undefined
  /** Told of what a reader of the log should know. */
  readonly tell: (what: string) => void
}

export interface Times {
  readonly downloadMs: number
  readonly totalMs: number
}

export interface Summary extends Times {
  readonly downloaded: number
  /** The mirror has the file that is here. */
  readonly unchanged: number
  readonly withoutText: number
  readonly failed: number
}

export async function sequential(setting: Setting): Promise<Summary> {
  const { csv, signal, tell } = setting
  const counts = { downloaded: 0, unchanged: 0, withoutText: 0, failed: 0 }
  const began = performance.now()
  const texts: { book: Book; located: Located }[] = []
  for await (const book of readBooks(csv, signal)) {
    if (isBadRow(book)) {
      counts.failed++
      tell(book.why)
      continue
    }
    try {
      const located = await locate(book, setting)
      if (!located) {
        counts.withoutText++
        tell(`${book.number}: no text file`)
        continue
      }
      counts[await fetchText(book, located, setting)]++
      texts.push({ book, located })
    } catch (error) {
      signal?.throwIfAborted()
      counts.failed++
      tell(`${book.number}: ${(error as Error).message}`)
    }
  }
  const downloadMs = performance.now() - began
  for (const { book, located } of texts) {
    signal?.throwIfAborted()
    for (const oddity of await cleanText(book, located, setting)) tell(`${book.number}: ${oddity}`)
  }
  return { ...counts, downloadMs, totalMs: performance.now() - began }
}

async function fetchText({ number }: Book, { uri }: Located, setting: Setting): Promise<'downloaded' | 'unchanged'> {
  const { downloads, engine, signal } = setting
  // The time of the remote file becomes that of the local one, by which the next run knows it again.
  const options = { ifExists: 'repair', preserveTime: true, engine, signal } as const
  const { status } = await download(uri, join(downloads, `${number}.txt`), options)
  return status === 'skipped' ? 'unchanged' : 'downloaded'
}

function cleanText({ number }: Book, { name }: Located, setting: Setting): Promise<string[]> {
  const { downloads, cleaning, isEncodingByKind } = setting
  const options = { ...cleaning, ...(isEncodingByKind ? { encoding: encodingOf(name) } : {}) }
  return cleanFile(join(downloads, `${number}.txt`), join(downloads, `${number}-mod.txt`), options)
}

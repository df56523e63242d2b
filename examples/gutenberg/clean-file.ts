/** Cleaning as a worker does it: from a file to a file. Nothing here knows of networks or tables. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { type Cleaned, type CleanOptions, clean } from './clean.ts'

export interface CleanFileOptions extends CleanOptions {
  /** Clean over and over until this thread has computed so long, ms, to see what costly cleaning would do. Default 0. */
  readonly workMs?: number | undefined
}

/**
 * Cleans a book into another file, which appears only when it is complete.
 *
 * @returns what is odd about the book, in words
 */
export async function cleanFile(from: string, to: string, options: CleanFileOptions = {}): Promise<string[]> {
  const cleaned = cleanFor(await readFile(from), options)
  const temporary = `${to}.part`
  await writeFile(temporary, cleaned.content)
  await rename(temporary, to)
  return oddities(cleaned)
}

function cleanFor(book: Uint8Array, options: CleanFileOptions): Cleaned {
  const { workMs = 0 } = options
  const computed = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  const end = workMs > 0 ? computed() + workMs : 0
  let cleaned = clean(book, options)
  while (workMs > 0 && computed() < end) cleaned = clean(book, options)
  return cleaned
}

function oddities({ hasStart, hasEnd }: Cleaned): string[] {
  if (!hasStart) return ['it has no start marker: nothing is left of it']
  return hasEnd ? [] : ['it has no end marker: everything behind its start is kept']
}

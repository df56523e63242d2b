/** Cleaning as a thread does it: here is nothing of networks, tables or pipelines. */
import { readFile } from 'node:fs/promises'
import { type Cleaned, type CleanOptions, clean } from './clean.ts'

export interface CleanJob extends CleanOptions {
  /** The book as it came. */
  readonly path: string
  /** Clean over and over until this thread has computed so long, ms: what if cleaning were costly? Default 0. */
  readonly workMs?: number | undefined
}

export async function cleanBook(job: CleanJob, { warn }: { warn(text: string): void }): Promise<Uint8Array> {
  const { content, hasStart, hasEnd } = cleanFor(await readFile(job.path), job)
  if (!hasStart) warn('it has no start marker: nothing is left of it')
  else if (!hasEnd) warn('it has no end marker: everything behind its start is kept')
  return content
}

function cleanFor(book: Uint8Array, { workMs = 0, ...options }: CleanJob): Cleaned {
  const end = workMs > 0 ? computedMs() + workMs : 0
  let cleaned = clean(book, options)
  while (workMs > 0 && computedMs() < end) cleaned = clean(book, options)
  return cleaned
}

function computedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

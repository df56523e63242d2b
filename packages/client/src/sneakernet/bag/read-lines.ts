import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { printable, TransferError } from '@arriero/transfer'
import type { z } from 'zod'

/** The lines of a text that may be larger than memory. */
export function readLines(path: string, signal?: AbortSignal): AsyncIterable<string> {
  return createInterface({
    input: createReadStream(path, { encoding: 'utf8', ...(signal && { signal }) }),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
}

/** Without a word of the line: whoever mistypes a path may have named a file of secrets. @throws TransferError ChecksumMismatch where it is no such line */
export function parseLine<T>(schema: z.ZodType<T>, line: string, path: string): T {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    value = undefined
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new TransferError('ChecksumMismatch', `Cannot use ${printable(path)}: a line of it is none that we write`, {
    file: path,
    remedy: 'Check the path: it is another file, was damaged, or is of a newer release.',
  })
}

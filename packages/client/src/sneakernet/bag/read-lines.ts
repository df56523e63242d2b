import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { TransferError } from '@arriero/transfer'
import type { z } from 'zod'

/** The lines of a text that may be larger than memory. */
export function readLines(path: string, signal?: AbortSignal): AsyncIterable<string> {
  return createInterface({
    input: createReadStream(path, { encoding: 'utf8', ...(signal && { signal }) }),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
}

/** @throws TransferError Protocol where it is no such line */
export function parseLine<T>(schema: z.ZodType<T>, line: string, path: string): T {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    value = undefined
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new TransferError('Protocol', `Cannot read ${path}: a line of it is none of ours: ${line.slice(0, 100)}`, {
    file: path,
    remedy: 'The list was damaged or written by a newer release.',
  })
}

/** Where a page ended, as text that callers give back as it is. */
import { LibrarianError } from '@arriero/api'
import type { z } from 'zod'

export function writeCursor(cursor: unknown): string | null {
  return cursor === undefined ? null : Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/** @throws LibrarianError `BadRequest` */
export function readCursor<Cursor>(text: string | undefined, schema: z.ZodType<Cursor>): Cursor | undefined {
  if (text === undefined) return undefined
  const { success, data } = schema.safeParse(parsed(text))
  if (success) return data
  throw new LibrarianError('BadRequest', 'Cannot go on there: `after` must be what the page before gave as `next`')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** What is remembered of an upload in its transfer's row (`transfer_data`). */
import { z } from 'zod'

const notes = z.object({
  /** When somebody last sent bytes, ms since 1970. */
  active: z.number().optional(),
  /** Commit it when all bytes are there. */
  commitsItself: z.boolean().optional(),
  /** What comes is a directory, as an archive of so many bytes. */
  archive: z.object({ format: z.literal('tar'), length: z.int().positive() }).optional(),
})

export type Notes = z.infer<typeof notes>

export type NotedArchive = NonNullable<Notes['archive']>

/** Whatever else stands there is not ours. */
export function readNotes(text: string | null): Notes {
  if (text === null) return {}
  const parsed = notes.safeParse(JSON.parse(text))
  return parsed.success ? parsed.data : {}
}

export function writeNotes(value: Notes): string {
  return JSON.stringify(value)
}

/** What an upstream tells a downstream whose database was lost, in the form that release 5.0.1 prints and reads (librarian 15). */
import { LibrarianError, parseInstant } from '@arriero/api'
import { z } from 'zod'

const time = z.string().transform((text, context) => {
  const instant = parseInstant(text)
  if (instant !== undefined) return instant
  context.addIssue({ code: 'custom', message: 'must be a time' })
  return z.NEVER
})

export const fileInfo = z.object({
  name: z.string(),
  store_id: z.int(),
  copy_time: time,
  size: z.int().min(0),
  checksum: z.string(),
  uploader: z.string(),
  source: z.string(),
})

export const transferInfo = z.object({
  source_id: z.int(),
  destination_id: z.int(),
  status: z.union([z.int(), z.string()]),
  transfer_size: z.int().min(0),
  transfer_checksum: z.string(),
  transfer_manager_name: z.string().nullable(),
  start_time: time,
  file_name: z.string(),
  source: z.string(),
  uploader: z.string(),
  dest_path: z.string(),
})

export type FileInfo = z.output<typeof fileInfo>
export type TransferInfo = z.output<typeof transferInfo>

const statement = z.object({ file_info: z.array(fileInfo), transfer_info: z.array(transferInfo) })

export type Statement = z.output<typeof statement>

/** @throws LibrarianError `BadRequest` */
export function parseStatement(text: string): Statement {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new LibrarianError('BadRequest', `Cannot read what the upstream tells: ${(error as Error).message}`, {
      remedy: 'Give it the whole output of repair-database --source.',
    })
  }
  const parsed = statement.safeParse(value)
  if (parsed.success) return parsed.data
  throw new LibrarianError('BadRequest', `Cannot read what the upstream tells: ${z.prettifyError(parsed.error)}`, {
    remedy: 'Give it the whole output of repair-database --source.',
  })
}

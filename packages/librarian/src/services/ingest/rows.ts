/** What jobs and items remember, as JSON in their rows. Never a secret. */
import { z } from 'zod'

const request = z.object({
  manifestUri: z.string().optional(),
  manifestForm: z.string().optional(),
  prefix: z.string().optional(),
  uploader: z.string(),
  deletionPolicy: z.enum(['ALLOWED', 'DISALLOWED']),
  allowUnattested: z.boolean(),
  /** Name of credentials in the settings. */
  credentials: z.string().optional(),
  /** All items are rows. */
  isListed: z.boolean(),
})

const entry = z.object({
  /** Places of the very same bytes, preferred first. */
  uris: z.array(z.string()).min(1),
  size: z.number().optional(),
  /** Wire form. */
  checksum: z.string().optional(),
  /** Others that the engine can compare, as it writes them. */
  checksums: z.array(z.string()).optional(),
  /** Where its bytes go, once that is known. */
  transferId: z.number().optional(),
})

export type IngestRequest = Readonly<z.infer<typeof request>>
export type IngestEntry = Readonly<z.infer<typeof entry>>

export const readRequest = (text: string): IngestRequest => request.parse(JSON.parse(text))
export const writeRequest = (value: IngestRequest): string => JSON.stringify(request.parse(value))
export const readEntry = (text: string): IngestEntry => entry.parse(JSON.parse(text))
export const writeEntry = (value: IngestEntry): string => JSON.stringify(entry.parse(value))

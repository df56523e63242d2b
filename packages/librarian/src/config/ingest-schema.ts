import { z } from 'zod'

/** Whom a password or a token may be shown to: it would be sent to whatever host a job names. */
const hosts = z.array(z.string().toLowerCase()).min(1)

const credentials = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('basic'), hosts, username: z.string(), password_file: z.string() }),
  z.strictObject({ kind: z.literal('bearer'), hosts, token_file: z.string() }),
  z.strictObject({
    kind: z.literal('s3'),
    access_key_id: z.string(),
    secret_access_key_file: z.string(),
    endpoint: z.string().optional(),
    region: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('gs'), credentials_file: z.string() }),
  z.strictObject({ kind: z.literal('drs'), credentials_file: z.string() }),
])

/** What users may have the server fetch. */
export const ingestSchema = z.strictObject({
  hosts: z.array(z.string().toLowerCase()).default([]),
  ports: z.array(z.int().min(1).max(65_535)).default([443]),
  schemes: z.array(z.enum(['https', 'http', 's3', 'gs', 'drs'])).default(['https']),
  networks: z.array(z.string()).default([]),
  credentials: z.record(z.string().regex(/^[\w.-]{1,64}$/), credentials).default({}),
  items_at_once: z.int().min(1).max(64).default(8),
  jobs_at_once: z.int().min(1).max(16).default(2),
})

import { z } from 'zod'

/** `store_data` of a local store (librarian 7.1); unknown keys are ignored. */
export const localStoreData = z.object({
  /** Where others put uploads; must be there. */
  staging_path: z.string().startsWith('/'),
  /** Where files lie under their names; must be there. */
  store_path: z.string().startsWith('/'),
  /** Portion of a device that counts as usable. */
  report_full_fraction: z.number().gt(0).lte(1).default(1),
  /** Staging directories get mode 0775. */
  group_write_after_stage: z.boolean().default(false),
  /** What is committed gets the server's user and group, where the system lets it. */
  own_after_commit: z.boolean().default(false),
  /** Files 0444 and directories 0555 after the commit, for everybody to read; else 0440 and 0550. */
  readonly_after_commit: z.boolean().default(false),
  /** Bytes that are kept free; `standard` is max(5 %, 10 GiB) (reliability 7.15). */
  reserve: z.union([z.literal('standard'), z.int().nonnegative()]).default('standard'),
})

export type LocalStoreData = z.infer<typeof localStoreData>

/** `store_data` of a store in a bucket. */
export const s3StoreData = z.object({
  bucket: z.string().min(1),
  /** Before all keys, e.g. `observatory/`. */
  prefix: z
    .string()
    .regex(/^$|\/$/, 'must be empty or end with /')
    .default(''),
  /** Of the server, where it is not Amazon's. */
  endpoint: z.url().optional(),
  region: z.string().default('us-east-1'),
  /** Default: as the vendor's tools look for credentials. */
  access_key_id: z.string().optional(),
  secret_access_key: z.string().optional(),
  /** A file that holds it instead; only its owner and group may read it. */
  secret_access_key_file: z.string().startsWith('/').optional(),
  /** A directory on a local disk for what arrives; it needs room for all that arrives at once. */
  scratch_path: z.string().startsWith('/'),
  /** Bytes that may be kept there; default: 2^50. */
  capacity: z
    .int()
    .positive()
    .default(2 ** 50),
})

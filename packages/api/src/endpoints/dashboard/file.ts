/** One file with all that is known of it. */
import { z } from 'zod'
import { deletionPolicy } from '../../values/deletion-policy.ts'
import { naive } from '../../values/lax.ts'
import { copyState } from './overview.ts'

const proof = z.object({
  time: naive,
  /** Where the bytes were read: `medium`, `cache`, `commit`, `peer-challenge`; of other sites also `claim`. */
  medium: z.string(),
  /** Who read them. */
  by: z.string(),
  outcome: copyState,
})

const proposed = z.object({
  destruction_id: z.string(),
  reason: z.string(),
  proposed_by: z.string(),
  proposed_time: naive,
  end_time: naive,
})

const instance = z.object({
  instance_id: z.int(),
  store_name: z.string(),
  /** Null for callers below ADMIN. */
  path: z.string().nullable(),
  created_time: naive,
  state: copyState,
  available: z.boolean(),
  deletion_policy: deletionPolicy.told,
  /** The last full read; null: never. */
  proof: proof.nullable(),
})

const remote = z.object({
  librarian_name: z.string(),
  /** Of the store there. */
  store_id: z.int(),
  /** When it came there, as far as it is known. */
  time: naive,
  sender: z.string(),
  /** What that librarian has shown of it last. */
  proof: proof.nullable(),
  /** Null: nobody has asked that librarian yet. */
  reachable: z.boolean().nullable(),
})

const event = z.object({
  time: naive,
  /**
   * `kept`, `uploaded`, `received`, `sent`, `copied`, `proof`, `deleted`, `destruction`, or the name of the act as the audit
   * log has it, as `instance.delete_file`.
   */
  what: z.string(),
  /** User or librarian. */
  who: z.string(),
  /** In words; empty: there is no more to say. */
  detail: z.string(),
})

export const fileAnswer = z.object({
  file: z.object({
    file_name: z.string(),
    size: z.int(),
    create_time: naive,
    uploader: z.string(),
    source: z.string(),
    /** As its sender gave it. */
    checksum: z.string(),
    sha256: z.string().nullable(),
    kind: z.enum(['file', 'tree']),
    is_attested: z.boolean(),
    first_uploader: z.string().nullable(),
    /** Of the present proposal to destroy it; null for callers below ADMIN too. */
    proposed_destruction: proposed.nullable(),
  }),
  instances: z.array(instance),
  remote: z.array(remote),
  /** Newest first, at most 200. Acts and names of other users are for ADMIN. */
  history: z.array(event),
})

/** Copies deleted by file and store, and what would become of that (reliability B): additions of ours. */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { deletionPolicy } from '../values/deletion-policy.ts'
import { integer, naive, optional, text } from '../values/lax.ts'

const request = z.object({
  file_name: text,
  store_name: text,
  /** Good copies that must be proven by other librarians; default: the settings say how many must remain in all. */
  remote_copies: optional(integer.pipe(z.int().nonnegative())),
})

/** A copy that was read, and what was found. */
const evidence = z.object({
  /** Null: this one. */
  librarian: z.string().nullable(),
  /** Its name; at another librarian its number there. */
  store: z.string(),
  instance_id: z.int(),
  state: z.string(),
  /** `medium`, `cache`; `peer-challenge`: proven by another librarian · `claim`: only said by one, which counts for nothing. */
  medium: z.string(),
  time: naive.nullable(),
})

const noStore = {
  status: 400,
  reason: ({ store_name }: { readonly store_name: string }) => `Store ${store_name} does not exist.`,
}

export const deletion = {
  plan: endpoint({
    path: 'admin/instance/deletion_plan',
    level: 'ADMIN',
    summary: 'Read what a deletion would rely on, and say whether it would be done; nothing is changed.',
    request,
    answer: z.object({
      may_go: z.boolean(),
      /** Null where it may go. */
      why_not: z.string().nullable(),
      file_name: z.string(),
      store_name: z.string(),
      instance_id: z.int(),
      instance_path: z.string(),
      size: z.int(),
      deletion_policy: deletionPolicy.told,
      /** Good copies that must remain, and how many of them at other librarians. */
      copies_needed: z.int(),
      remote_copies_needed: z.int(),
      evidence: z.array(evidence),
      /** How long the trash would keep it. */
      trash_seconds: z.number(),
    }),
    failures: { UnknownStore: noStore },
    mutates: false,
    isOurs: true,
  }),
  remove: endpoint({
    path: 'admin/instance/delete',
    level: 'ADMIN',
    summary: 'Delete the copy of a file on a store, if enough good ones remain: it can be restored for a while.',
    request: request.extend({ reason: text.max(1000) }),
    answer: z.object({
      success: z.boolean(),
      /** For `admin/trash/restore`. */
      trash_id: z.string(),
      file_name: z.string(),
      instance_id: z.int(),
      /** Good copies that remain here, and those that other librarians proved. */
      proofs: z.int(),
      remote_proofs: z.int(),
    }),
    failures: { UnknownStore: noStore },
    mutates: true,
    isOurs: true,
  }),
}

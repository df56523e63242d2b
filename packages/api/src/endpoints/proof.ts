/** Ours: a librarian shows that it holds the bytes (reliability B6, E5). */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { integer, text } from '../values/lax.ts'

/** A week: whoever deletes for longer asks again. */
export const MOST_HOLD_SECONDS = 604_800

const copy = z.object({
  store_id: z.int(),
  instance_id: z.int(),
  /** What this reading has found: `ok`, `mismatch`, `missing`, `unreadable` or `unavailable`. */
  state: z.string(),
  /** Null where it could not be read. */
  size: z.int().nullable(),
  /** Hex: SHA-256(nonce ∥ bytes); of a tree, over each member’s line of the manifest without digest, and its bytes. */
  answer: z.string().nullable(),
  /** Null: it is not held. Only a copy that is `ok` is. */
  hold_id: z.string().nullable(),
})

export const proof = {
  challenge: endpoint({
    path: 'proof/challenge',
    level: 'CALLBACK',
    summary: 'Read every copy of a file that is here, now, and answer to a nonce by its bytes.',
    request: z.object({
      file_name: text,
      /** 64 hex digits, new each time. */
      nonce: text.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'),
      /** So long no copy that is `ok` may be deleted here; 0: none is held. */
      hold_seconds: integer.pipe(z.int().min(0).max(MOST_HOLD_SECONDS)),
    }),
    answer: z.object({
      /** The `name` setting of who answers: nobody takes its own answer for another’s. */
      librarian: z.string(),
      copies: z.array(copy),
    }),
    failures: { NotFound: { status: 404, reason: 'This file does not exist in the librarian.' } },
    mutates: true,
    isOurs: true,
  }),
  release: endpoint({
    path: 'proof/release',
    level: 'CALLBACK',
    summary: 'End holds before their time.',
    request: z.object({ hold_ids: z.array(text).max(10_000) }),
    answer: z.object({ released: z.array(z.string()) }),
    mutates: true,
    isOurs: true,
  }),
}

/**
 * What librarians sign of a carried disk (reliability 6, "replayed or swapped signed manifests"). A statement is JSON text, and
 * the very text is what is signed; whoever reads it checks the signature first.
 */
import { z } from 'zod'

const digest = z.string().regex(/^[0-9a-f]{64}$/)

const common = {
  source: z.string(),
  destination: z.string(),
  /** UUID of the disk. */
  disk: z.string(),
  time: z.string(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
}

/** What the librarian that packed a disk signs for. */
export const diskStatement = z.object({
  purpose: z.literal('arriero disk 1'),
  ...common,
  /** SHA-256 of `tagmanifest-sha256.txt`, which names the digests of all other lists. */
  tag_manifest: digest,
  files: z.int(),
  bytes: z.int(),
})

/** What the librarian that took a disk in signs for. */
export const receiptStatement = z.object({
  purpose: z.literal('arriero receipt 1'),
  ...common,
  /** Of each page, the SHA-256 of `receiptText`. */
  pages: z.array(digest),
})

/** What `diskStatement` gives. */
export type DiskStatement = z.output<typeof diskStatement>
/** What `receiptStatement` gives. */
export type ReceiptStatement = z.output<typeof receiptStatement>

/** One file of a receipt. */
export interface ReceiptLine {
  readonly name: string
  /** At the librarian that packed the disk. */
  readonly transfer_id: number
  /** Where it is kept. */
  readonly store_id: number
  readonly size: number
  readonly sha256: string
}

/** A page of a receipt as it is digested: the same at both librarians. */
export function receiptText(lines: readonly ReceiptLine[]): string {
  return lines
    .map(
      ({ name, transfer_id, store_id, size, sha256 }) =>
        `${JSON.stringify({ name, transfer_id, store_id, size, sha256 })}\n`,
    )
    .join('')
}

/** Undefined: it is no such statement. */
export function parseStatement<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

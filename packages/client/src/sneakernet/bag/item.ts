/** A file on a disk, as the disk's own lists have it. */
import { z } from 'zod'

const digest = z.string().regex(/^[0-9a-f]{64}$/)

export const packedItem = z.object({
  name: z.string(),
  kind: z.enum(['file', 'tree']),
  size: z.int().min(0),
  /** As its first sender gave it: it travels unchanged (reliability A7). */
  checksum: z.string(),
  /** Of the bytes; of a tree, of its canonical manifest. */
  sha256: digest,
  uploader: z.string(),
  create_time: z.string(),
  instance_id: z.int(),
  /** How it was read back: from the medium, or out of memory where that is not to be had. */
  read_back: z.enum(['medium', 'cache']),
  /** Files below `data/`: path, bytes, digest. */
  members: z.array(z.tuple([z.string(), z.int().min(0), digest])),
})

export type PackedItem = z.output<typeof packedItem>

/** As the finished disk lists it. */
export const carriedItem = packedItem
  .omit({ instance_id: true, members: true })
  .extend({ /** At the librarian that packed it. */ transfer_id: z.int() })

export type CarriedItem = z.output<typeof carriedItem>

export const packingHeader = z.object({
  arriero: z.literal('packing'),
  version: z.literal(1),
  disk: z.string(),
  source: z.string(),
  destination: z.string(),
  label: z.string(),
  begun: z.string(),
})

export type PackingHeader = z.output<typeof packingHeader>

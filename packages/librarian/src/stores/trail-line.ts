/**
 * A line of a manifest trail, as all stores write it: JSON on one line, closed by the SHA-256 of the text before it. The next
 * line names that digest, so that none can be changed or taken out unnoticed; the last one is proven by its own.
 *
 *     {"number":1,"previous":"<sha256>","record":{…},"sha256":"<of `{"number":1,…,"record":{…}`>"}
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { TrailRecord } from './store.ts'

/** What the first line of a chain names as the line before it. */
export const START = '0'.repeat(64)

/** Numbers above it are no number that a catalogue gave: it could not go on from there. */
const GREATEST_ORDER = 2 ** 50

const endSchema = z.object({ segment: z.string(), number: z.int().positive(), sha256: z.string() })

/** The last line of a segment. */
export type SegmentEnd = z.infer<typeof endSchema>

const lineSchema = z.object({
  number: z.int().positive(),
  previous: z.string(),
  /** On the first line of a segment: how others ended by then. */
  after: z.array(endSchema).optional(),
  record: z.object({
    action: z.enum(['commit', 'trash', 'restore', 'purge', 'repair']),
    order: z.int().nonnegative().max(GREATEST_ORDER),
    time: z.string(),
    name: z.string(),
    kind: z.enum(['file', 'tree']),
    size: z.number(),
    checksum: z.string(),
    sha256: z.string().nullable(),
    is_attested: z.boolean(),
    create_time: z.string(),
    uploader: z.string(),
    source: z.string(),
    deletion_policy: z.enum(['DISALLOWED', 'ALLOWED']),
    first_uploader: z.string().optional(),
    manifest: z.string().optional(),
    repair: z
      .object({
        id: z.string(),
        path: z.string(),
        found: z.enum(['ok', 'mismatch', 'missing', 'unreadable', 'unavailable', 'never-checked']),
        source: z.string(),
        actor: z.string(),
      })
      .optional(),
  }),
})

export interface TrailLine {
  readonly number: number
  readonly previous: string
  readonly after?: readonly SegmentEnd[] | undefined
  readonly record: TrailRecord
}

export interface WrittenLine extends TrailLine {
  readonly sha256: string
}

/** With its line feed. */
export function formatLine(line: TrailLine): { text: string; sha256: string } {
  const body = JSON.stringify(line).slice(0, -1)
  const sha256 = hash(body)
  return { text: `${body}${opening}${sha256}${closing}\n`, sha256 }
}

/** Undefined: it is no line of a trail, or not as it was written. */
export function parseLine(text: string): WrittenLine | undefined {
  const at = text.length - tailLength
  const sha256 = text.slice(at + opening.length, -closing.length)
  const body = text.slice(0, Math.max(0, at))
  if (text !== `${body}${opening}${sha256}${closing}` || hash(body) !== sha256) return undefined
  try {
    return { ...(lineSchema.parse(JSON.parse(text)) as TrailLine), sha256 }
  } catch {
    return undefined
  }
}

const opening = ',"sha256":"'
const closing = '"}'
const tailLength = opening.length + START.length + closing.length

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

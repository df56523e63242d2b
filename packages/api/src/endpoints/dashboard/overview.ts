/** What somebody on shift must see at once. */
import { z } from 'zod'
import { naive } from '../../values/lax.ts'

/** What the last full read of a copy found (reliability C2). */
export const copyState = z.enum(['ok', 'mismatch', 'missing', 'unreadable', 'unavailable', 'never-checked'])

export type CopyStateName = z.output<typeof copyState>

const flow = z.object({
  /** Where the hour begins. */
  time: naive,
  in_bytes: z.int(),
  in_files: z.int(),
  out_bytes: z.int(),
  out_files: z.int(),
})

const backlog = z.object({
  librarian_name: z.string(),
  enabled: z.boolean(),
  /** Null: nobody has asked it yet. */
  reachable: z.boolean().nullable(),
  /** On their way to it or waiting. */
  files: z.int(),
  bytes: z.int(),
  /** That it took, over the last six hours. */
  bytes_per_hour: z.number(),
  /** At that rate; null: nothing moves. */
  drain_seconds: z.number().nullable(),
  oldest_time: naive.nullable(),
})

const proof = z.object({
  /** Of the copies in use that were read: the one whose last full read is the longest ago. */
  oldest_time: naive.nullable(),
  /** Copies in use that nobody has read yet. */
  unproven_files: z.int(),
  /** Within which a scrub reads every copy again; null: none is set up. */
  period_seconds: z.number().nullable(),
  /** Copies in use by what the last full read found. */
  by_state: z.record(copyState, z.int()),
})

const store = z.object({
  store_name: z.string(),
  enabled: z.boolean(),
  ingestable: z.boolean(),
  available: z.boolean(),
  /** Why it is not available. */
  reason: z.string().nullable(),
  /** Bytes; null: unknown. */
  free: z.int().nullable(),
  total: z.int().nullable(),
  /** Bytes that came per day over the last week; null: nothing came. */
  used_per_day: z.number().nullable(),
  /** When it is full at that rate. */
  full_time: naive.nullable(),
})

const need = z.object({
  severity: z.enum(['error', 'warning']),
  title: z.string(),
  detail: z.string(),
  /** What to do about it, as one sentence. */
  next_step: z.string(),
  /** Of the dashboard, as `/errors`. */
  page: z.string(),
})

export const overview = z.object({
  site_name: z.string(),
  version: z.string(),
  /** When this was computed. */
  time: naive,
  /** The last 48 hours, the present one last. */
  flow: z.array(flow),
  backlog: z.array(backlog),
  proof,
  stores: z.array(store),
  /** The gravest first. */
  needs: z.array(need),
  /** Tasks whose last run failed, and those that are switched off. */
  tasks: z.object({ failed: z.int(), off: z.int() }),
  /** Open ones. */
  transfers: z.object({ incoming: z.int(), outgoing: z.int() }),
})

export type Overview = z.output<typeof overview>

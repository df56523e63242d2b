/** Settings of background tasks (librarian 13.2, 12.0): read and checked now, used by the tasks. */
import { z } from 'zod'
import { cronProblem } from './cron.ts'
import { duration } from './duration.ts'
import { bool, int, number } from './values.ts'

const policies: Readonly<Record<string, 0 | 1>> = { DISALLOWED: 0, ALLOWED: 1 }
const policy = z.preprocess(
  value => (typeof value === 'string' ? (policies[value.toUpperCase()] ?? value) : value),
  z.union([z.literal(0), z.literal(1)]),
)

const status = int.pipe(z.int().min(0).max(5))

const cron = z.string().superRefine((text, context) => {
  const problem = cronProblem(text)
  if (problem !== undefined) context.addIssue(problem)
})

function task<Shape extends z.ZodRawShape>(shape: Shape) {
  const entry = z.object({
    task_name: z.string(),
    /** After the end of the run before. */
    every: duration.optional(),
    /** Ours: at the times of this line, and not at the start. */
    at: cron.optional(),
    soft_timeout: duration.nullable().default(null),
    ...shape,
  })
  const when = (value: object) => ['every', 'at'].filter(key => value[key as keyof typeof value] !== undefined).length
  return z.array(entry.refine(value => when(value) === 1, 'must have every, or else at')).default([])
}

const age = { age_in_days: int }
const count = int.pipe(z.int().min(1))

/** Every stored byte is read again within it (reliability C3). */
const scrubPeriodMs = 21 * 24 * 3_600_000

/** Kinds that librarian 13.2 does not know: ours. */
const ours = {
  scrub: task({
    store_name: z.string(),
    period: duration.refine(ms => ms > 0, 'must be longer than nothing').default(scrubPeriodMs),
    /** Null: as fast as the store reads. */
    bytes_per_second: count.nullable().default(null),
  }),
  tier: task({ from_store: z.string(), to_store: z.string(), age_in_days: number, files_per_run: count.default(1024) }),
  repair: task({}),
}

/** In the order in which they are scheduled. Unknown keys inside an entry are dropped, unknown tasks refused. */
export const backgroundSchema = z.strictObject({
  check_integrity: task({ ...age, store_name: z.string() }),
  create_local_clone: task({
    ...age,
    clone_from: z.string(),
    clone_to: z.union([z.string(), z.array(z.string()).min(1)]),
    files_per_run: int.default(1024),
    disable_store_on_full: bool.default(false),
  }),
  send_clone: task({
    ...age,
    destination_librarian: z.string(),
    store_preference: z.string().nullable().default(null),
    send_batch_size: int.default(128),
    warn_disabled_timer: int.nullable().default(null),
  }),
  recieve_clone: task({ deletion_policy: policy, files_per_run: int.default(1024) }),
  consume_queue: task({}),
  check_consumed_queue: task({ complete_status: status.default(2) }),
  outgoing_transfer_hypervisor: task(age),
  incoming_transfer_hypervisor: task(age),
  duplicate_remote_instance_hypervisor: task({}),
  rolling_deletion: task({
    store_name: z.string(),
    age_in_days: number,
    number_of_remote_copies: int.default(3),
    verify_downstream_checksums: bool.default(true),
    mark_unavailable: bool.default(true),
    force_deletion: bool.default(true),
    /** Ours: says what would go, and changes nothing. */
    dry_run: bool.default(false),
  }),
  corruption_fixer: task({}),
  ...ours,
  max_rsync_retries: int.default(8),
})

export type BackgroundSettings = z.output<typeof backgroundSchema>

/** The right spelling beside the one that existing files have (librarian Q27). */
export function withAliases(raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { receive_clone, ...rest } = raw
  if (receive_clone === undefined) return rest
  if (rest.recieve_clone !== undefined) throw new Error('has both recieve_clone and receive_clone; keep one')
  return { ...rest, recieve_clone: receive_clone }
}

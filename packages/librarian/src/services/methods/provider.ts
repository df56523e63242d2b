/** What receivers offer, and how its kind is told: by its fields, never by the key under which it stands (librarian 9). */
import type { MethodName, MethodState } from '@arriero/transfer'
import { z } from 'zod'

const begun = { transfer_attempted: z.boolean().default(false), transfer_complete: z.boolean().default(false) }

/** In the order in which real librarians try them; ours before the one that it must look like. Unknown fields stay. */
const kinds = {
  globus: z.looseObject({
    destination_endpoint: z.string(),
    native_app: z.boolean().default(false),
    ...begun,
    task_id: z.string().default(''),
  }),
  rsync: z.looseObject({ hostname: z.string(), ...begun }),
  http: z.looseObject({
    hostnames: z.array(z.string()).max(0),
    protocol: z.literal('pull'),
    version: z.literal(1),
    ...begun,
  }),
  local: z.looseObject({
    hostnames: z.array(z.string()),
    ...begun,
    start_time_transfer: z.string().nullable().default(null),
    bytes_transfer: z.number().nullable().default(null),
  }),
} as const satisfies Record<MethodName, z.ZodType>

export interface KnownProvider {
  readonly name: MethodName
  /** With every field of its kind. */
  readonly state: MethodState
}

/** The kind that most of its fields are of; of equals, the first. Undefined: none that we know. */
export function readProvider(provider: unknown): KnownProvider | undefined {
  let best: (KnownProvider & { readonly matches: number }) | undefined
  for (const [name, kind] of Object.entries(kinds)) {
    const read = kind.safeParse(provider)
    if (!read.success) continue
    const matches = Object.keys(kind.shape).filter(field => Object.hasOwn(provider as object, field)).length
    if (!best || matches > best.matches) best = { name: name as MethodName, state: read.data, matches }
  }
  return best && { name: best.name, state: best.state }
}

/** Undefined: of none that we know. */
export function methodOf(state: MethodState): MethodName | undefined {
  return readProvider(state)?.name
}

/** Field types as lax as librarian 4.2 says: what callers send is parsed once, here. */
import { z } from 'zod'
import { type Instant, parseInstant, toNaive } from './instant.ts'
import { normalisePath } from './posix-path.ts'

/** Takes what callers send; typed clients give what is meant. */
function lax<Output>(prepare: (value: unknown) => unknown, schema: z.ZodType<Output>): z.ZodType<Output, Output> {
  return z.preprocess(prepare, schema) as unknown as z.ZodType<Output, Output>
}

const toInteger = (value: unknown): unknown =>
  typeof value === 'string' && /^\s*[+-]?\d+(\.0*)?\s*$/.test(value) ? Number(value) : value

/** `5`, `5.0`, `"5"`; nothing beyond 2^53 − 1. */
export const integer = lax(toInteger, z.int())

/** How many results are asked for; the server has a limit of its own. */
export const maxResults = integer.default(64)

const truths = new Map<unknown, boolean>([
  ...['true', 't', 'yes', 'y', 'on', '1', 1].map(word => [word, true] as const),
  ...['false', 'f', 'no', 'n', 'off', '0', 0].map(word => [word, false] as const),
])

const toBoolean = (value: unknown): unknown =>
  truths.get(typeof value === 'string' ? value.toLowerCase() : value) ?? value

/** `true`, `1`, `"yes"`, `"ON"` and their opposites. */
export const boolean = lax(toBoolean, z.boolean())

/** A string field takes JSON strings only. */
export const text = z.string()

/** A path, normalised as the older servers do; whether it may name a file is asked of `parseFileName`. */
export const path = z.string().transform(normalisePath).pipe(z.string())

/** A time in any form of librarian 4.4; gives an instant. */
export const instant = z.union([z.string(), z.number()]).transform((value, context): Instant => {
  const parsed = parseInstant(value)
  if (parsed !== undefined) return parsed
  context.addIssue({
    code: 'custom',
    message: 'must be a time: ISO 8601 or Unix seconds, years 1 to 9999',
    input: value,
  })
  return z.NEVER
}) as unknown as z.ZodType<Instant, string | number>

/** Exactly two times, both inclusive. */
export const instantWindow = z.tuple([instant, instant])

/** A time in an answer: without zone, in UTC, however it was given. */
export const naive = z
  .string()
  .transform((value, context) => {
    const parsed = parseInstant(value)
    if (parsed !== undefined) return toNaive(parsed)
    context.addIssue({ code: 'custom', message: 'must be a time', input: value })
    return z.NEVER
  })
  .pipe(z.string().meta({ description: 'UTC, without zone: 2026-11-20T22:03:37.619866' }))

/** A field of a request that may be null or absent, both meaning: not said. */
export function optional<Output, Input>(schema: z.ZodType<Output, Input>): OptionalField<Output, Input> {
  return schema.nullish().transform(value => value ?? undefined) as unknown as OptionalField<Output, Input>
}

/** A caller may leave the key out; a handler always finds it. */
type OptionalField<Output, Input> = z.ZodType<Output | undefined, Input | null | undefined> & {
  readonly _zod: { readonly optin: 'optional' }
}

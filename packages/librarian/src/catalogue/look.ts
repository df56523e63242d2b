/** What a catalogue's database looks like from outside, before anything opens it. Nothing is changed by looking. */
import type { Migration } from './migrate.ts'

export type DatabaseLook =
  /** It cannot be used: why, and what to do. */
  | { readonly state: 'unusable'; readonly why: string; readonly remedy: string }
  /** It could not be looked at, and may be well. */
  | { readonly state: 'unseen'; readonly why: string; readonly remedy: string }
  /** There is room for a catalogue, and none yet. */
  | { readonly state: 'empty'; readonly where: string }
  /** Its schema is not that of this program. */
  | { readonly state: 'older' | 'newer'; readonly migrations: readonly string[]; readonly canBackUp: boolean }
  | {
      readonly state: 'current'
      readonly where: string
      readonly warnings: readonly string[]
      /** How far the database's clock is ahead of ours; undefined: it has none of its own. */
      readonly aheadMs: number | undefined
    }

/** Undefined: the schema is as this program has it. */
export function schemaLook(
  done: readonly string[],
  released: readonly Migration[],
  canBackUp: boolean,
): DatabaseLook | undefined {
  const known = released.map(({ name }) => name)
  const unknown = done.filter(name => !known.includes(name))
  if (unknown.length > 0) return { state: 'newer', migrations: unknown, canBackUp }
  const pending = known.filter(name => !done.includes(name))
  return pending.length > 0 ? { state: 'older', migrations: pending, canBackUp } : undefined
}

import type { Sample } from './fields.ts'
import { parseTime } from './read-profile.ts'

/** A stretch of a run with a name. */
export interface Phase {
  readonly name: string
  /** ms since 1970. */
  readonly from: number
  readonly to: number
}

/** Stretches one after the other, the last up to the last sample. Before the first mark there is none. */
export function phasesOf(samples: readonly Sample[]): Phase[] {
  const last = samples.at(-1)
  if (!last) return []
  const end = parseTime(last.timestamp)
  const begun = samples.flatMap(({ marks = [] }) => marks).map(({ name, at }) => ({ name, from: parseTime(at) }))
  return begun.map(({ name, from }, index) => ({ name, from, to: begun[index + 1]?.from ?? Math.max(from, end) }))
}

import { gaps } from '../plan.ts'
import type { Range } from '../resource.ts'

/** Where what is wanted ends; undefined: where the resource does, and nobody knows yet where that is. */
export function wantedEnd(range: Range | undefined, size: number | undefined): number | undefined {
  return range && size !== undefined ? Math.min(range.end, size) : (range?.end ?? size)
}

/**
 * What the first request asks for: the first part of what is missing. Where nothing is, the head of the answer is all that is
 * wanted, and one byte the least that can be asked for.
 */
export function firstRange(wanted: Range, held: readonly Range[], partSize: number): Range {
  const [gap] = gaps(wanted, held)
  if (!gap) return { start: 0, end: 1 }
  return { start: gap.start, end: Math.min(gap.end, gap.start + partSize) }
}

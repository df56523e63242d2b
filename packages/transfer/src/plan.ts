/** Which byte ranges are to be fetched: pure arithmetic (retrieval 1.3, 9). */
import type { Range } from './resource.ts'

/** Cuts `[0, size)` into parts of `partSize`; the last may be shorter. No part is empty, so size 0 has none. */
export function planParts(size: number, partSize: number): Range[] {
  if (!(partSize > 0)) throw new RangeError(`Cannot plan parts of ${partSize} bytes`)
  const parts: Range[] = []
  for (let start = 0; start < size; start += partSize) parts.push({ start, end: Math.min(start + partSize, size) })
  return parts
}

/** What of `[start, end)` is not covered by `held`, ascending. Held ranges may overlap and come in any order. */
export function gaps(whole: Range, held: readonly Range[]): Range[] {
  const result: Range[] = []
  let at = whole.start
  for (const { start, end } of [...held].sort((a, b) => a.start - b.start)) {
    if (start >= whole.end) break
    if (start === end) continue
    if (start > at) result.push({ start: at, end: start })
    at = Math.max(at, end)
  }
  if (at < whole.end) result.push({ start: at, end: whole.end })
  return result
}

/** Bytes covered by ranges that do not overlap. */
export function total(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0)
}

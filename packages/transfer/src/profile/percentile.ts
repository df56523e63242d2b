/**
 * Nearest-rank percentile: the smallest value that at least `percent` of all values do not exceed.
 *
 * @param sorted ascending, not empty
 * @param percent 0 to 100; 0 gives the smallest
 */
export function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) throw new RangeError('Cannot take a percentile of nothing')
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`Cannot take percentile ${percent}: 0 to 100 are there`)
  // Multiplied first: a quotient such as 7 / 100 is a little more than it should be, and would make a rank too many.
  const rank = Math.ceil((percent * sorted.length) / 100)
  return sorted[Math.max(0, rank - 1)] as number
}

/** The middle value, or the mean of the two in the middle. */
export function median(sorted: readonly number[]): number {
  if (sorted.length === 0) throw new RangeError('Cannot take a median of nothing')
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

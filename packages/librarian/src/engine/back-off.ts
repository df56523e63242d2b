const LONGEST_SECONDS = 3600

/** The pause before a piece that failed is tried again: about twice as long each time, an hour at most. */
export function backOffSeconds(attempts: number, random: () => number): number {
  const longest = Math.min(LONGEST_SECONDS, 2 ** Math.min(attempts, 16))
  return longest * (0.5 + random() / 2)
}

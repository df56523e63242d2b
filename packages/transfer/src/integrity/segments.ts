/** Runs of bytes that arrive in any order and grow together where they touch. */
export interface Segments<T> {
  /** Throws when the run overlaps an earlier one: a byte that counts twice makes every digest wrong. */
  add(start: number, length: number, value: T): void
  /** The value of [0, size) when exactly that is covered. */
  whole(size: number): { readonly value: T } | undefined
  readonly isEmpty: boolean
}

interface Segment<T> {
  start: number
  end: number
  value: T
}

/** @param join the value of two runs that touch */
export function createSegments<T>(join: (left: T, right: T, lengthOfRight: number) => T): Segments<T> {
  const segments: Segment<T>[] = []
  return {
    get isEmpty() {
      return segments.length === 0
    },
    add(start, length, value) {
      const index = firstFrom(segments, start)
      const [before, after] = [segments[index - 1], segments[index]]
      const end = start + length
      if ((before && before.end > start) || (after && after.start < end)) {
        throw new Error(`Cannot digest bytes ${start} to ${end}: each byte must come once`)
      }
      if (before?.end === start) {
        before.value = join(before.value, value, length)
        before.end = end
        if (after?.start !== end) return
        before.value = join(before.value, after.value, after.end - after.start)
        before.end = after.end
        segments.splice(index, 1)
      } else if (after?.start === end) {
        after.value = join(value, after.value, after.end - after.start)
        after.start = start
      } else segments.splice(index, 0, { start, end, value })
    },
    whole(size) {
      const only = segments[0]
      return segments.length === 1 && only!.start === 0 && only!.end === size ? only : undefined
    },
  }
}

/** Index of the first segment that starts at or after `start`. */
function firstFrom(segments: readonly Segment<unknown>[], start: number): number {
  let [low, high] = [0, segments.length]
  // Bytes mostly come in order.
  if (high > 0 && segments[high - 1]!.start < start) return high
  while (low < high) {
    const middle = (low + high) >> 1
    if (segments[middle]!.start < start) low = middle + 1
    else high = middle
  }
  return low
}

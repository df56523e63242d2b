/** How large parts are (retrieval 9). Pure. */

const MIB = 1024 * 1024
const PAGE = 4096

/** Bytes of a part before anything was measured. */
const INITIAL_PART_SIZE = 8 * MIB
const SMALLEST = MIB
const LARGEST = 64 * MIB

/** Seconds that a part should take. */
const SHORTEST_S = 1
const LONGEST_S = 4
const TARGET_S = 2

/** In flight at once when nothing is known: four on their way, four being written and hashed. */
export const USUAL_PARTS = 8

export interface PartSizeOptions {
  /** Bytes per second of one connection; undefined before anything was measured. */
  readonly rate?: number | undefined
  /** The size used so far: kept while it still takes 1–4 s. Default 8 MiB. */
  readonly current?: number | undefined
  /** Bytes for all parts in flight. */
  readonly budget: number
  /** Parts in flight at once. */
  readonly parts: number
  /** Bytes of the parts that the object store keeps (retrieval 11.3), if known: then a multiple or divisor is preferred. */
  readonly storedPartSize?: number | undefined
  /** Smaller parts cost more than they bring, however slow the connection. Default 0. */
  readonly least?: number | undefined
}

/**
 * A multiple of 1 MiB within 1–64 MiB, such that parts × size ≤ budget. When the budget is under 1 MiB per part, a
 * share of it in whole pages; when under a page per part, one page, and parts wait for their slots.
 */
export function nextPartSize(options: PartSizeOptions): number {
  const { rate, current = INITIAL_PART_SIZE, budget, parts, storedPartSize, least = 0 } = options
  const share = Math.floor(budget / Math.max(1, parts))
  if (share < SMALLEST) return Math.max(PAGE, Math.floor(share / PAGE) * PAGE)
  const largest = Math.min(LARGEST, Math.floor(share / MIB) * MIB)
  const fit = (size: number) => clamp(Math.round(Math.max(size, least) / MIB) * MIB, SMALLEST, largest)
  const isMeasured = rate !== undefined && rate > 0
  const wanted = fit(isMeasured && !takesLongEnough(current, rate) ? rate * TARGET_S : current)
  if (!storedPartSize) return wanted
  // Unmeasured: as far from the wish as the measured span is from its middle.
  const low = fit(isMeasured ? rate * SHORTEST_S : wanted / 2)
  const high = fit(isMeasured ? rate * LONGEST_S : wanted * 2)
  return nearestAligned(wanted, Math.min(low, wanted), Math.max(high, wanted), storedPartSize) ?? wanted
}

/** The size before anything was measured: a budget smaller than usual is still cut into several parts. */
export function initialPartSize(budget: number, least = 0): number {
  return nextPartSize({ budget, parts: USUAL_PARTS, least })
}

function takesLongEnough(size: number, rate: number): boolean {
  return size >= rate * SHORTEST_S && size <= rate * LONGEST_S
}

/** The multiple of 1 MiB in [low, high] nearest to `wanted` that divides the stored size or is a multiple of it. */
function nearestAligned(wanted: number, low: number, high: number, stored: number): number | undefined {
  let best: number | undefined
  for (let size = low; size <= high; size += MIB) {
    const isAligned = size % stored === 0 || stored % size === 0
    if (isAligned && (best === undefined || Math.abs(size - wanted) < Math.abs(best - wanted))) best = size
  }
  return best
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}

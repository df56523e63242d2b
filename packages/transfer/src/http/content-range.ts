/** A `Content-Range: bytes …` field (RFC 9110, 14.4). */
export interface ContentRange {
  readonly start: number
  /** Exclusive. */
  readonly end: number
  /** The whole representation; undefined for `*`. */
  readonly size: number | undefined
}

const SATISFIED = /^bytes[ \t]+(\d{1,16})-(\d{1,16})\/(?:(\d{1,16})|\*)$/i
const UNSATISFIED = /^bytes[ \t]+\*\/(\d{1,16})$/i

/** The range that a 206 carries; undefined when the field is malformed or contradicts itself. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const match = value === undefined ? null : SATISFIED.exec(value)
  if (!match) return undefined
  const start = Number(match[1])
  const end = Number(match[2]) + 1
  const size = match[3] === undefined ? undefined : Number(match[3])
  if (start >= end || !Number.isSafeInteger(end)) return undefined
  if (size !== undefined && (end > size || !Number.isSafeInteger(size))) return undefined
  return { start, end, size }
}

/** The size that a 416 tells by `bytes *` + `/size`. */
export function parseUnsatisfiedRange(value: string | undefined): number | undefined {
  const match = value === undefined ? null : UNSATISFIED.exec(value)
  const size = match ? Number(match[1]) : undefined
  return Number.isSafeInteger(size) ? size : undefined
}

/** A Content-Length: digits only, one value; undefined when there is none or it says nothing certain. */
export function parseLength(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,16}$/.test(value)) return undefined
  const length = Number(value)
  return Number.isSafeInteger(length) ? length : undefined
}

/** `Range` of a request for a representation of known size (RFC 9110, 14). */

/** End exclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** `whole`: there is no range that is honoured · `unsatisfiable`: 416. */
export type RangeChoice = ByteRange | 'whole' | 'unsatisfiable'

/**
 * One range is honoured. Several are answered with the whole, which RFC 9110 always allows: nothing that reads large files
 * asks for several at once, and overlapping ones are a way to make a server send far more than it has.
 */
export function chooseRange(header: string | undefined, size: number): RangeChoice {
  const match = header === undefined ? undefined : /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header)
  if (!match) return 'whole'
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return 'whole'
  if (first === '') return suffix(Number(last), size)
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  // Bounds in the wrong order are no range at all, so the header is as if it were not there.
  if (last !== '' && Number(last) < start) return 'whole'
  return start < size ? { start, end } : 'unsatisfiable'
}

function suffix(length: number, size: number): RangeChoice {
  if (length === 0) return 'unsatisfiable'
  return size === 0 ? 'whole' : { start: Math.max(0, size - length), end: size }
}

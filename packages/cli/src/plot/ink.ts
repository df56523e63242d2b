/**
 * How lines and cells are told apart in black and white print: by width, dashes and darkness, never by hue alone. The
 * colours are of different darkness (the first is the darkest), so a grey copy keeps their order.
 */

export interface Ink {
  readonly stroke: string
  readonly strokeWidth: number
  readonly strokeDasharray?: string
}

export const inks: readonly [Ink, ...Ink[]] = [
  { stroke: '#0b3c5d', strokeWidth: 1.5 },
  { stroke: '#b5460f', strokeWidth: 1.5, strokeDasharray: '5 2.5' },
  { stroke: '#2b7a4b', strokeWidth: 1.5, strokeDasharray: '1.5 2' },
  { stroke: '#7a4a9e', strokeWidth: 1.5, strokeDasharray: '7 2 1.5 2' },
  { stroke: '#666666', strokeWidth: 2.5 },
  { stroke: '#666666', strokeWidth: 2.5, strokeDasharray: '3 3' },
]

/** The ink of the n-th series; they repeat when there are more series than inks. */
export function inkOf(n: number): Ink {
  return inks[n % inks.length] as Ink
}

/** A sequential scheme of Plot whose darkness alone carries the value: light is little, dark is much. */
export const darkness = 'blues'

/** What can be read on a cell that is filled with this share (0 to 1) of `darkness`. */
export function textOn(share: number): string {
  return share > 0.68 ? '#ffffff' : '#000000'
}

import { type Context, printLine } from '../context.ts'
import { styleFor } from '../terminal.ts'
import { displayWidth, pad, printable } from '../text.ts'

/**
 * Rows for a person: aligned, below their headings. Where nobody looks, the cells with tabs between them, for `cut` and `awk`;
 * text from outside is escaped in both.
 */
export function showTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  context: Context,
): void {
  const { stdout, env } = context.terminal
  const cells = rows.map(row => row.map(cell => printable(String(cell))))
  if (!stdout.isTTY) {
    for (const row of cells) printLine(context, row.join('\t'))
    return
  }
  const widths = widthsOf(headings, cells, stdout.columns)
  const folds = foldsOf(widths, stdout.columns)
  const linesOf = (row: readonly string[]) =>
    folds
      .map(({ from, to }) => {
        const parts = row.slice(from, to).map((cell, at) => pad(cell, widths[from + at] as number))
        return (from === 0 ? '' : indent) + parts.join('  ').trimEnd()
      })
      .filter((line, at) => at === 0 || line.trim() !== '')
  for (const line of linesOf(headings)) printLine(context, styleFor(stdout, env).bold(line))
  for (const [first = '', ...others] of cells) {
    const isTooLong = displayWidth(first) > (widths[0] as number)
    if (isTooLong) printLine(context, first)
    for (const line of linesOf([isTooLong ? '' : first, ...others])) printLine(context, line)
  }
}

const indent = '    '

interface Fold {
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/** Which columns share a line: all of them, or as many as the terminal has room for; the others go below, indented. */
function foldsOf(widths: readonly number[], columns: number): Fold[] {
  const folds: Fold[] = []
  let from = 0
  let used = 0
  for (const [at, width] of widths.entries()) {
    const begin = from === 0 ? 0 : indent.length
    if (at > from && used + 2 + width > columns - 1) {
      folds.push({ from, to: at })
      from = at
      used = indent.length + width
    } else used = at === from ? begin + width : used + 2 + width
  }
  return [...folds, { from, to: widths.length }]
}

/** Of the first column. */
const leastWidth = 10

/**
 * As wide as what is in each. Where that is wider than the terminal, the first column gives way: what is longer has a line of
 * its own, whole, since a name that is cut cannot be used.
 */
function widthsOf(headings: readonly string[], cells: readonly (readonly string[])[], columns: number): number[] {
  const [first = 0, ...others] = headings.map((heading, at) =>
    Math.max(...[heading, ...cells.map(row => row[at] ?? '')].map(displayWidth)),
  )
  const left = columns - 1 - others.reduce((sum, width) => sum + width + 2, 0)
  // Where the others alone are too wide, columns are folded, and the first one has half of its line.
  const room = left < leastWidth ? Math.floor(columns / 2) : left
  return [Math.min(first, Math.max(leastWidth, room, displayWidth(headings[0] ?? ''))), ...others]
}

/** `2026-11-20 22:03:37` of a time on the wire; empty where there is none. */
export function shownTime(naive: string | null | undefined): string {
  return naive ? naive.replace('T', ' ').replace(/\.\d+$/, '') : ''
}

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
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, at) => pad(cell, widths[at] as number))
      .join('  ')
      .trimEnd()
  printLine(context, styleFor(stdout, env).bold(lineOf(headings)))
  for (const [first = '', ...others] of cells) {
    const isTooLong = displayWidth(first) > (widths[0] as number)
    if (isTooLong) printLine(context, first)
    printLine(context, lineOf([isTooLong ? '' : first, ...others]))
  }
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
  const room = columns - 1 - others.reduce((sum, width) => sum + width + 2, 0)
  return [Math.min(first, Math.max(leastWidth, room, displayWidth(headings[0] ?? ''))), ...others]
}

/** `2026-11-20 22:03:37` of a time on the wire; empty where there is none. */
export function shownTime(naive: string | null | undefined): string {
  return naive ? naive.replace('T', ' ').replace(/\.\d+$/, '') : ''
}

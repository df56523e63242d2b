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
  const widths = headings.map((heading, at) =>
    Math.max(...[heading, ...cells.map(row => row[at] ?? '')].map(displayWidth)),
  )
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, at) => pad(cell, widths[at] as number))
      .join('  ')
      .trimEnd()
  printLine(context, styleFor(stdout, env).bold(lineOf(headings)))
  for (const row of cells) printLine(context, lineOf(row))
}

/** `2026-11-20 22:03:37` of a time on the wire; empty where there is none. */
export function shownTime(naive: string | null | undefined): string {
  return naive ? naive.replace('T', ' ').replace(/\.\d+$/, '') : ''
}

import { displayWidth, pad } from '../text.ts'

/** Rows of cells, in columns; the last column is as wide as it is. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map(row => displayWidth(row[at] ?? ''))))
  return rows.map(row =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : pad(cell, widths[at] as number)))
      .join('  ')
      .trimEnd(),
  )
}

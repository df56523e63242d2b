import type { Context } from '../context.ts'
import { fileLine, singleLine, totalLine } from './lines.ts'
import type { Snapshot } from './measure.ts'
import { createRedrawnLines } from './redrawn-lines.ts'
import type { View } from './view.ts'

/** Lines of the terminal that are left to what is printed above. */
const spareRows = 4
const mostLines = 12

/**
 * Bars on a terminal: one per active file as far as they fit, and one for the whole. Their text must fit the width and
 * show names that somebody else chose.
 */
export function createBarView(context: Context): View {
  const { stderr } = context.terminal
  const lines = createRedrawnLines(context)
  return {
    update(measure, now) {
      lines.show(textsOf(measure(now), stderr.columns, Math.min(mostLines, Math.max(1, stderr.rows - spareRows))))
    },
    stop: () => lines.stop(),
  }
}

/** The lines for a terminal of this size, the one for the whole last. */
export function textsOf({ files, total }: Snapshot, columns: number, rows: number): string[] {
  const active = files.filter(file => file.state !== 'waiting')
  const isSingle = total.files.isListed && total.files.listed <= 1
  if (isSingle) return active.slice(0, 1).map(file => singleLine(file, total, columns))
  if (total.files.listed === 0 && active.length === 0) return []
  const shown = active.slice(0, Math.max(0, rows - 1))
  return [...shown.map(file => fileLine(file, columns)), totalLine(total, columns)]
}

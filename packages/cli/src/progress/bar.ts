import cliProgress from 'cli-progress'
import type { Context } from '../context.ts'
import { fileLine, singleLine, totalLine } from './lines.ts'
import type { Snapshot } from './measure.ts'
import type { View } from './view.ts'

/** Lines of the terminal that are left to what is printed above. */
const spareRows = 4
const mostLines = 12

/**
 * Bars on a terminal: one per active file as far as they fit, and one for the whole. cli-progress moves the cursor and
 * redraws; the text of each line is ours, because it must fit the width and show names that somebody else chose.
 */
export function createBarView(context: Context): View {
  const { stderr } = context.terminal
  const bars = new cliProgress.MultiBar({
    stream: stderrStream(context),
    format: (_options: unknown, _params: unknown, payload: { line: string }) => payload.line,
    clearOnComplete: true,
    // Ours: the first Ctrl-C does not end the program.
    gracefulExit: false,
    // Neither is needed, and a program that is killed could not undo them.
    hideCursor: false,
    linewrap: true,
    fps: 10,
    emptyOnZero: true,
  } as cliProgress.Options)
  const lines: cliProgress.SingleBar[] = []
  let hasStarted = false

  // The terminal's object must see a line end; without one it would be drawn over.
  context.lineWriter = line => (hasStarted ? bars.log(`${line}\u001b[K\n`) : stderr.write(`${line}\n`))

  function show(texts: readonly string[]): void {
    while (lines.length < texts.length) lines.push(bars.create(1, 0, { line: '' }))
    // Lines are kept when there is less to show: taking them away makes the rest jump.
    for (const [index, line] of lines.entries()) line.update(0, { line: texts[index] ?? '' })
    hasStarted ||= texts.length > 0
  }

  return {
    update(measure, now) {
      show(textsOf(measure(now), stderr.columns, Math.min(mostLines, Math.max(1, stderr.rows - spareRows))))
    },
    stop() {
      // Whatever waits to be logged is drawn with the last update.
      if (hasStarted) (bars as unknown as { update(): void }).update()
      bars.stop()
      context.lineWriter = undefined
    },
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

/** cli-progress wants a stream; the output of a test has no more than these. */
function stderrStream({ terminal }: Context): NodeJS.WritableStream {
  const { stderr } = terminal
  return {
    write(text: string) {
      stderr.write(text)
      return true
    },
    isTTY: stderr.isTTY,
    get columns() {
      return stderr.columns
    },
  } as unknown as NodeJS.WritableStream
}

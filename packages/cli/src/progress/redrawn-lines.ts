import cliProgress from 'cli-progress'
import type { Context } from '../context.ts'

/** Lines at the bottom of a terminal that change in place. What is said meanwhile appears above them. */
export interface RedrawnLines {
  show(texts: readonly string[]): void
  /** Takes them away. */
  stop(): void
}

/**
 * cli-progress moves the cursor and redraws; the text of each line is ours.
 *
 * @param others streams to which others may write lines meanwhile; not one that takes bytes
 */
export function createRedrawnLines(
  context: Context,
  others: readonly ('stdout' | 'stderr')[] = ['stderr'],
): RedrawnLines {
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
  const undivert = context.terminal.divert?.(others, context.say)

  return {
    show(texts) {
      while (lines.length < texts.length) lines.push(bars.create(1, 0, { line: '' }))
      // Lines are kept when there is less to show: taking them away makes the rest jump.
      for (const [index, line] of lines.entries()) line.update(0, { line: texts[index] ?? '' })
      hasStarted ||= texts.length > 0
    },
    stop() {
      // Whatever waits to be logged is drawn with the last update.
      if (hasStarted) (bars as unknown as { update(): void }).update()
      bars.stop()
      context.lineWriter = undefined
      undivert?.()
    },
  }
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

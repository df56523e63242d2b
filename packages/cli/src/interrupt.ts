import { ProgramError } from './errors.ts'
import { exitCodeOfSignal } from './exit-codes.ts'

/** Signals that ask the program to end. SIGHUP comes when the terminal or the connection to it has gone. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * A second signal sooner than this is the same one: a terminal signals the launcher and the program, and the launcher
 * passes on what it gets.
 */
const sameSignalMs = 150

interface Signals {
  on(signal: NodeJS.Signals, listener: () => void): unknown
}

/**
 * The first signal aborts, so that everything stops where it can be resumed; the second leaves at once.
 * `exit` and `now` are the process's own unless a test brings others.
 */
export function abortOnSignals(
  controller: AbortController,
  source: Signals = process,
  exit: (code: number) => void = code => process.exit(code),
  now: () => number = () => performance.now(),
): void {
  let first: number | undefined
  for (const signal of signals) {
    source.on(signal, () => {
      if (first === undefined) {
        first = now()
        controller.abort(interruption(signal))
      } else if (now() - first >= sameSignalMs) {
        exit(exitCodeOfSignal(signal))
      }
    })
  }
}

function interruption(signal: NodeJS.Signals): ProgramError {
  const what = signal === 'SIGINT' ? 'Interrupted.' : `Ended by ${signal}.`
  return new ProgramError('Cancelled', what, { exitCode: exitCodeOfSignal(signal) })
}

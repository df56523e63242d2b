import { ProgramError } from './errors.ts'
import { exitCodes } from './exit-codes.ts'
import { printable } from './text.ts'

interface Strays {
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown
  on(event: 'beforeExit', listener: () => void): unknown
}

/** Longest time for stopping in order, ms. */
const PATIENCE_MS = 10_000

/**
 * Code of the user's runs in this process (pipelines, hooks). What it leaves behind stops the run like a signal does, where
 * it can be resumed, and is named:
 *
 *     an error that nobody catches      of a timer, or of a promise that nobody waits for
 *     a promise that nobody will settle Node would end, and call it success
 *
 * `exit` is the process's own unless a test brings another.
 */
export function abortOnStrays(
  controller: AbortController,
  source: Strays = process,
  exit: (code: number) => void = code => process.exit(code),
): void {
  const stop = (reason: ProgramError) => {
    controller.abort(reason)
    setTimeout(() => exit(reason.exitCode), PATIENCE_MS).unref()
  }
  source.on('uncaughtException', error => stop(uncaught(error)))
  source.on('beforeExit', () => {
    if (controller.signal.aborted) exit(exitCodes.someFailed)
    else stop(stalled())
  })
}

function uncaught(error: unknown): ProgramError {
  const message = `An error that nobody caught: ${error instanceof Error ? error : shown(error)}${placeIn(error)}`
  return new ProgramError('Unexpected', message, {
    remedy: 'Wait for every promise, and catch what timers throw.',
    cause: error,
    exitCode: exitCodes.someFailed,
  })
}

function stalled(): ProgramError {
  return new ProgramError('Stalled', 'Something waits for a promise that nothing will ever settle.', {
    remedy: 'See that every promise of your functions is resolved or rejected.',
    exitCode: exitCodes.someFailed,
  })
}

function shown(error: unknown): string {
  try {
    return printable(String(error))
  } catch {
    return 'it cannot be written as text'
  }
}

/** Where in a file of the user's; `(late.ts:2:109)`. */
function placeIn(error: unknown): string {
  const stack = error instanceof Error ? String(error.stack) : ''
  const own = stack.split('\n').find(line => line.includes('file://') && !/\/node_modules\/|\/dist\//.test(line))
  const place = own && /([^/]+:\d+:\d+)\)?$/.exec(own)?.[1]
  return place ? ` (${place})` : ''
}

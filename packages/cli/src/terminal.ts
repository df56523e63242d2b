import { isatty } from 'node:tty'
import { divertLines } from './divert-lines.ts'
import { ProgramError } from './errors.ts'
import { exitCodes } from './exit-codes.ts'
import { readSecret } from './read-secret.ts'
import { systemReason } from './system-error.ts'

/** A place to write text to. */
export interface Output {
  write(text: string): void
  readonly isTTY: boolean
  /** Read anew whenever it is needed: windows are resized. */
  readonly columns: number
  readonly rows: number
}

/** What a command may see of the world; an object in tests. */
export interface Terminal {
  /** Data only: bytes, JSON, tables. */
  readonly stdout: Output
  /** Everything said to a person. */
  readonly stderr: Output
  readonly stdin: AsyncIterable<Uint8Array>
  /** Asks the person at the terminal for a line that is not shown; absent where stdin is no terminal. */
  readonly readSecret?: (prompt: string, signal: AbortSignal) => Promise<string>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Waits until what was written has left the process, or is known not to. */
  flush(): Promise<void>
  /**
   * Until the answer is called, what others write to these streams (a `console.log` in a pipeline, also in its threads) goes
   * to `say` by the line. What is written through this object is not meant.
   */
  divert?(streams: readonly ('stdout' | 'stderr')[], say: (line: string) => void): () => void
  /** Why stdout takes nothing any more. */
  readonly failure?: ProgramError | undefined
}

/** Narrow enough for any terminal when nobody says how wide it is. */
const usualColumns = 80

/** The terminal of this process. `onBrokenPipe` is called when the reader of stdout has gone. */
export function processTerminal(onBrokenPipe: (reason: ProgramError) => void): Terminal {
  let failure: ProgramError | undefined
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (failure) return
    failure =
      error.code === 'EPIPE' ? brokenPipe() : new ProgramError('Disk', `Cannot write to stdout: ${systemReason(error)}`)
    onBrokenPipe(failure)
  })
  const stdout = outputOf(process.stdout)
  // Nobody is left to tell; the transfer goes on.
  process.stderr.on('error', () => {})
  return {
    stdout: {
      ...stdout,
      write: text => void (failure || stdout.write(text)),
    },
    stderr: outputOf(process.stderr),
    // Opened only when somebody reads it.
    stdin: { [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array> },
    ...(isatty(0) ? { readSecret: (prompt: string, signal: AbortSignal) => readSecret(prompt, signal) } : {}),
    env: process.env,
    cwd: process.cwd(),
    async flush() {
      await Promise.all([flushed(process.stdout), flushed(process.stderr)])
      // A failed write to a file is told in the next turn.
      await new Promise(resolve => setImmediate(resolve))
    },
    divert(streams, say) {
      const ends = streams.map(name => divertLines(process[name], say))
      return () => ends.forEach(end => void end())
    },
    get failure() {
      return failure
    },
  }
}

/** What ends a command whose reader has gone: nothing is said about it. */
export function brokenPipe(): ProgramError {
  return new ProgramError('BrokenPipe', 'The reader of the output closed it', { exitCode: exitCodes.brokenPipe })
}

function outputOf(stream: NodeJS.WriteStream & { fd: number }): Output {
  // As it is now: later it may be diverted.
  const write = stream.write.bind(stream)
  return {
    write: text => void write(text),
    isTTY: isatty(stream.fd),
    get columns() {
      return stream.columns || usualColumns
    },
    get rows() {
      return stream.rows || 24
    },
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return stream.writableLength === 0 ? Promise.resolve() : new Promise(resolve => stream.write('', () => resolve()))
}

/** Colours, or nothing of the kind. */
export interface Style {
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly blue: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

/** https://no-color.org: any value but the empty one turns colours off. */
export function styleFor(output: Output, env: Terminal['env']): Style {
  const isOn = output.isTTY && !env.NO_COLOR && env.TERM !== 'dumb'
  const code = (on: number, off: number) => (text: string) => (isOn ? `\u001b[${on}m${text}\u001b[${off}m` : text)
  return {
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    blue: code(34, 39),
    dim: code(2, 22),
    bold: code(1, 22),
  }
}

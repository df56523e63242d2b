import { type Style, styleFor, type Terminal } from './terminal.ts'
import { jsonLine } from './text.ts'

/** Options that every command has. */
export interface Flags {
  readonly json: boolean
  readonly quiet: boolean
  /** 0, 1 (-v) or 2 (-vv). */
  readonly verbosity: number
}

/** What a command is handed besides its arguments. */
export interface Context {
  readonly terminal: Terminal
  readonly flags: Flags
  /** Aborted by Ctrl-C, SIGTERM, or a closed output; the reason is what ends the command. */
  readonly signal: AbortSignal
  /** For stderr. */
  readonly style: Style
  /** Writes a line for a person, above the progress bars if there are any. */
  readonly say: (line: string) => void
  /** Set by progress bars while they are drawn: lines go through them, or they would be torn. */
  lineWriter: ((line: string) => void) | undefined
  /** What an interrupted run leaves, as a sentence; told after the signal. */
  onInterrupt: (() => string) | undefined
}

export function createContext(terminal: Terminal, flags: Flags, signal: AbortSignal): Context {
  const context: Context = {
    terminal,
    flags,
    signal,
    style: styleFor(terminal.stderr, terminal.env),
    lineWriter: undefined,
    say: line => (context.lineWriter ? context.lineWriter(line) : terminal.stderr.write(`${line}\n`)),
    onInterrupt: undefined,
  }
  return context
}

/** A command's own name for what it does with its parsed arguments; resolves to the exit code. */
export type Action<Options> = (operands: string[], options: Options, context: Context) => Promise<number>

export function printJson(context: Context, value: unknown): void {
  context.terminal.stdout.write(`${jsonLine(value)}\n`)
}

export function printLine(context: Context, line = ''): void {
  context.terminal.stdout.write(`${line}\n`)
}

/** Something worth knowing that is neither a result nor an error. */
export function warn(context: Context, text: string): void {
  if (!context.flags.quiet) context.say(`${context.style.yellow('arriero:')} ${text}`)
}

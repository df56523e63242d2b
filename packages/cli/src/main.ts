/** The program's entry: parses, runs one command, and is the one place that answers errors. */
import type { Command } from 'commander'
import { commandNameIn, normaliseArguments } from './argv.ts'
import type { Run } from './commands/define.ts'
import { type Context, createContext, type Flags, printJson } from './context.ts'
import { ProgramError, stackOf, tell, toLine } from './errors.ts'
import { exitCodes } from './exit-codes.ts'
import { boundHeap } from './heap.ts'
import { abortOnSignals } from './interrupt.ts'
import { CommanderError, commandAt, createProgram, helpHint, usageError } from './program.ts'
import { abortOnStrays } from './stray.ts'
import { processTerminal, type Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Called by the launcher. */
export async function start(): Promise<void> {
  boundHeap()
  const controller = new AbortController()
  const terminal = processTerminal(reason => controller.abort(reason))
  abortOnSignals(controller)
  abortOnStrays(controller)
  let code = await main(process.argv.slice(2), terminal, controller.signal)
  await terminal.flush()
  // A result that nobody could be told is no success.
  if (code === exitCodes.ok && terminal.failure) code = tellFailure(terminal.failure, terminal)
  // What is still open (a kept-alive connection, a pool) must not keep a finished program alive.
  process.exit(code)
}

/** One run of the program; resolves to its exit code and never rejects. */
export async function main(argv: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  const args = normaliseArguments(argv)
  const name = commandNameIn(args)
  let code: number = exitCodes.ok
  let context = createContext(terminal, earlyFlags(args), signal)
  let usageHint: string | undefined
  const run: Run =
    action =>
    async (...received) => {
      // Commander hands over each operand, then the options, then the command.
      const command = received.at(-1) as Command
      context = createContext(terminal, flagsOf(command.optsWithGlobals()), signal)
      code = await action(command.args, command.opts() as never, context)
    }
  try {
    const program = await createProgram({
      terminal,
      run,
      defined: name === undefined ? [] : [name],
      // Two words, as the older program printed (librarian 14.2).
      versionText: name === 'librarian' ? `librarian ${version}` : version,
    })
    const named = commandAt(program, args)
    usageHint = helpHint(named)
    try {
      await program.parseAsync(args, { from: 'user' })
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      if (error.code === 'commander.help') return printUsage(named.helpInformation(), terminal)
      const usage = usageError(error, program, args)
      if (usage) throw usage
    }
    // A command that came to its end although it was interrupted has done what it was asked for.
    return code
  } catch (error) {
    return answer(signal.aborted ? signal.reason : error, error, context, usageHint)
  }
}

/** `arriero` or `arriero gen3` alone: the list of commands is the best answer, although nothing was done. */
function printUsage(help: string, terminal: Terminal): number {
  terminal.stderr.write(help)
  return exitCodes.usage
}

/**
 * Says what went wrong, in one line or as JSON, and gives the exit code.
 *
 * @param usageHint which help has more to say of wrong usage
 */
function answer(reason: unknown, thrown: unknown, context: Context, usageHint: string | undefined): number {
  const { terminal, flags, style, signal } = context
  if (reason instanceof ProgramError && reason.code === 'BrokenPipe') return reason.exitCode
  const told = tell(reason)
  const isUsage = reason instanceof ProgramError && reason.code === 'Usage'
  const left = signal.aborted ? context.onInterrupt?.() : undefined
  const remedy = left ?? told.remedy ?? (isUsage ? usageHint : undefined)
  const { exitCode, ...error } = remedy === undefined ? told : { ...told, remedy }
  if (flags.json && !terminal.failure) printJson(context, { ok: false, error })
  else terminal.stderr.write(`${style.red('arriero:')} ${toLine(error)}\n`)
  if (flags.verbosity >= 2) terminal.stderr.write(`${stackOf(thrown)}\n`)
  return exitCode
}

function tellFailure(failure: ProgramError, { stderr }: Terminal): number {
  if (failure.code !== 'BrokenPipe') stderr.write(`arriero: ${toLine(tell(failure))}\n`)
  return failure.exitCode
}

function flagsOf(options: Record<string, unknown>): Flags {
  return {
    json: options.json === true,
    quiet: options.quiet === true,
    verbosity: Math.min(2, Number(options.verbose ?? 0)),
  }
}

/** For errors that come before the options are parsed. */
function earlyFlags(args: readonly string[]): Flags {
  const verbosity = args
    .filter(arg => /^-v+$|^--verbose$/.test(arg))
    .join('')
    .replaceAll('-', '').length
  return { json: args.includes('--json'), quiet: false, verbosity: Math.min(2, verbosity) }
}

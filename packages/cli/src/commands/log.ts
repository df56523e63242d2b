import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { type Command, Option } from 'commander'
import { type Context, printLine, warn } from '../context.ts'
import { ProgramError } from '../errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { levels, parseLogLine } from '../log/parse-line.ts'
import { formatLine, isShown } from '../log/view.ts'
import { systemReason } from '../system-error.ts'
import { styleFor } from '../terminal.ts'
import { count } from '../text.ts'
import type { Run } from './define.ts'

interface ViewFlags {
  readonly level?: (typeof levels)[number]
  readonly stage?: string
  readonly event?: string
  readonly file?: string
  readonly all?: boolean
}

export function define(command: Command, run: Run): void {
  // With all options beside the name, no room would be left for what it does.
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command
    .command('view')
    .description('show a log that --log has written')
    .argument('<file>', 'the log; - is stdin')
    .addOption(
      new Option('--level <LEVEL>', 'this level and above: TRACE, DEBUG, INFO_VERBOSE, …').argParser(parseLevel),
    )
    .addOption(new Option('--stage <STAGE>', 'only this stage (list, plan, fetch, …) or actor'))
    .addOption(new Option('--event <EVENT>', 'only this kind: retry, hedge, verified, …'))
    .addOption(new Option('--file <TEXT>', 'only files whose name or URL has this in it'))
    .addOption(new Option('--all', 'also the noisiest kinds of the retriever format'))
    .addHelpText('after', examples)
    .action(run(view))
  command.addHelpText('after', examples)
}

const examples = `
Examples:
  arriero get --manifest list.csv -d data --log run.log
  arriero log view run.log --level WARN
  arriero log view run.log --event retry --file ocean.nc
  tail -f retriever.log | arriero log view -

Both formats are read. With --json the lines come out as they were written.`

async function view([path]: string[], flags: ViewFlags, context: Context): Promise<number> {
  const style = styleFor(context.terminal.stdout, context.terminal.env)
  let strange = 0
  const filter = { ...flags, isAll: flags.all }
  try {
    for await (const text of linesOf(path!, context)) {
      const line = parseLogLine(text)
      if (!line) strange += text.trim() === '' ? 0 : 1
      else if (isShown(line, filter)) printLine(context, context.flags.json ? text : formatLine(line, style))
    }
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new ProgramError('Disk', `Cannot read the log ${path}: ${systemReason(error)}`, { cause: error })
  }
  if (strange > 0)
    warn(context, `${count(strange, 'line')} of ${path} ${strange === 1 ? 'is' : 'are'} no line of a log.`)
  return strange === 0 ? exitCodes.ok : exitCodes.someFailed
}

function linesOf(path: string, { terminal, signal }: Context): AsyncIterable<string> {
  const input = path === '-' ? Readable.from(terminal.stdin, { objectMode: false }) : createReadStream(path)
  signal.addEventListener('abort', () => input.destroy(signal.reason as Error), { once: true })
  return linesIn(input)
}

/** Line by line as they come, so that `tail -f` can be followed. */
async function* linesIn(input: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const text of input.setEncoding('utf8')) {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  if (rest !== '') yield rest
}

function parseLevel(text: string): string {
  const level = text.toUpperCase() === 'INFOV' ? 'INFO_VERBOSE' : text.toUpperCase()
  if (levels.some(each => each === level)) return level
  throw new ProgramError('Usage', `--level takes one of ${levels.join(', ')}, not '${text}'.`)
}

import { Command, CommanderError, Option } from 'commander'
import type { Run } from './commands/define.ts'
import { commands } from './commands/index.ts'
import { pathOf } from './commands/path.ts'
import { ProgramError } from './errors.ts'
import { handDownOptions } from './hand-down.ts'
import { didYouMean } from './suggest.ts'
import type { Terminal } from './terminal.ts'
import { printable, withoutSecrets } from './text.ts'
import { version } from './version.ts'

interface ProgramOptions {
  readonly terminal: Pick<Terminal, 'stdout' | 'stderr'>
  readonly run: Run
  /** Commands to define in full; the others only have a line in the list. */
  readonly defined: Iterable<string> | 'all'
  /** What `-V` prints. Default: the version alone. */
  readonly versionText?: string | undefined
}

/** The program with every command, of which only those wanted are loaded. */
export async function createProgram({
  terminal,
  run,
  defined,
  versionText = version,
}: ProgramOptions): Promise<Command> {
  const program = new Command('arriero')
    .description('Fetches research data fast, and proves that not one byte changed.')
    .usage('<command> [options]')
    .addOption(new Option('--json', 'one JSON document, or JSON lines for a list'))
    .addOption(new Option('-q, --quiet', 'print only errors'))
    .addOption(
      new Option('-v, --verbose', 'say more; -vv says everything')
        .default(0, 'none')
        .argParser((_, n: number) => n + 1),
    )
    .version(versionText, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help; with a command, its help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(terminal.stdout.columns, 100) })
    .configureOutput({
      writeOut: text => terminal.stdout.write(text),
      // Errors are thrown, and told in one place.
      writeErr: () => {},
      outputError: () => {},
    })
    .exitOverride()
  program.configureHelp({
    ...program.configureHelp(),
    visibleGlobalOptions: command => globalOptions(command, program),
  })
  // A count, whose default would only puzzle in the help.
  program.options.find(option => option.long === '--verbose')!.defaultValueDescription = undefined
  program.options.find(option => option.long === '--verbose')!.defaultValue = undefined
  program.addHelpText(
    'after',
    `
Examples:
  arriero get https://data.example.org/2026/ocean.nc
  arriero get https://data.example.org/ocean.nc --checksum sha256:9f86d0…
  arriero get --manifest list.json -d data --report report.jsonl
  arriero cat https://data.example.org/run7.tar.gz | tar xz

Exit codes: 0 good; 1 some of several failed; 2 usage; for a single file
3 checksum or size mismatch, 4 not found, 5 denied, 6 network, 7 local disk,
8 changed meanwhile; 130 interrupted.`,
  )
  const wanted = new Set(defined === 'all' ? Object.keys(commands) : defined)
  const whole = () => createProgram({ terminal, run, defined: 'all' })
  for (const [name, { summary, load, isHidden }] of Object.entries(commands)) {
    // Those who ask for all want what people may type.
    if (isHidden && defined === 'all') continue
    const command = program.command(name, { hidden: isHidden ?? false }).description(summary)
    if (!wanted.has(name)) continue
    const { define } = await load()
    define(command, run, whole)
    handDownOptions(command)
  }
  return program
}

/** The program's own. What a command between has, the one below it either has as well, or refuses (`hand-down.ts`). */
function globalOptions(command: Command, program: Command): Option[] {
  return command === program ? [] : program.options.filter(({ hidden }) => !hidden)
}

/** The command that the arguments name, however deep it lies. */
export function commandAt(program: Command, args: readonly string[]): Command {
  let command = program
  for (const word of args.filter(arg => !arg.startsWith('-'))) {
    const below = command.commands.find(each => each.name() === word)
    if (!below) break
    command = below
  }
  return command
}

/** `See: arriero gen3 download-single --help` */
export function helpHint(command: Command): string {
  return `See: ${pathOf(command)} --help`
}

/** Commander's errors in our words: one line, with what was probably meant; undefined when help or version was printed. */
export function usageError(error: CommanderError, program: Command, args: readonly string[]): ProgramError | undefined {
  if (error.exitCode === 0) return undefined
  const command = commandAt(program, args)
  const said = error.message.replace(/^error: /, '').replace(/\s*\(Did you mean.*$/s, '')
  const word = /'([^']*)'/.exec(said)?.[1] ?? ''
  const message = printable(said.replaceAll(word || '\0', withoutSecrets(word)))
  const capital = `${message[0]?.toUpperCase()}${message.slice(1)}`.replace(/\.?$/, '.')
  return new ProgramError('Usage', `${capital}${suggestion(error, word, program, command)}`, {
    remedy: helpHint(command),
  })
}

function suggestion(error: CommanderError, word: string, program: Command, command: Command): string {
  if (error.code === 'commander.unknownOption') {
    const flags = [...command.options, ...program.options].flatMap(option => option.long ?? [])
    return didYouMean(word.split('=')[0]!, [...flags, '--help'])
  }
  if (error.code === 'commander.unknownCommand') {
    const isUrl = command === program && /^[a-z][a-z0-9+.-]*:\/\//i.test(word)
    if (isUrl) return ` Did you mean: arriero get ${printable(withoutSecrets(word))}?`
    const below = command === program ? visibleCommands() : command.commands.map(each => each.name())
    return didYouMean(word, below)
  }
  if (error.code === 'commander.invalidArgument') {
    const given = /argument '([^']*)' is invalid/.exec(error.message)?.[1] ?? ''
    const flag = /option '(?:-\w, )?(--[\w-]+)/.exec(error.message)?.[1]
    const choices = command.options.find(option => option.long === flag)?.argChoices
    return choices ? didYouMean(given, choices) : ''
  }
  return ''
}

function visibleCommands(): string[] {
  return Object.entries(commands).flatMap(([name, { isHidden }]) => (isHidden ? [] : [name]))
}

export { CommanderError }

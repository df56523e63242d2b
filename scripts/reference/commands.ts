/** Every command with its operands, flags and examples, as commander knows them. */
import type { EventEmitter } from 'node:events'
import { type Command, Help } from 'commander'
import { createProgram } from '../../packages/cli/src/program.ts'
import { blocks, code, fence, plain, table } from './markdown.ts'
import type { ReferencePage } from './pages.ts'

const help = new Help()

export async function commandsPage(): Promise<ReferencePage> {
  const silent = { write: () => {}, isTTY: false, columns: 100, rows: 24 }
  const terminal = { stdout: silent, stderr: silent }
  const program = await createProgram({ terminal, run: () => async () => {}, defined: 'all' })
  const commands = program.commands.filter(command => command.name() !== 'help')
  const shown = new Map<string, string>()
  const text = blocks(
    '# Every command',
    'What `arriero COMMAND --help` says of each, in one place. What each is for is told on the [pages by job](index.md).',
    table(
      ['command', 'does'],
      commands.map(command => [link(command), plain(command.description())]),
    ),
    '## Options of every command',
    table(
      ['option', 'meaning'],
      program.options.map(option => [code(option.flags), plain(help.optionDescription(option))]),
    ),
    ...commands.flatMap(command => sections(command, 2, shown)),
  )
  return { path: 'docs/manual/commands.md', text, problems: [] }
}

/** Without the program's own name. */
function pathOf(command: Command): string {
  const above = command.parent
  return above?.parent ? `${pathOf(above)} ${command.name()}` : command.name()
}

function link(command: Command): string {
  return `[\`${pathOf(command)}\`](#${pathOf(command).replaceAll(' ', '-')})`
}

/** @param shown tables of options by their text: the same one is shown once */
function sections(command: Command, depth: number, shown: Map<string, string>): string[] {
  const below = command.commands.filter(each => each.name() !== 'help')
  const { examples, notes } = afterHelp(command)
  return [
    `${'#'.repeat(depth)} ${pathOf(command)}`,
    sentence(command.description()),
    fence('text', help.commandUsage(command)),
    operands(command),
    below.length === 0
      ? ''
      : table(
          ['command', 'does'],
          below.map(each => [link(each), plain(each.description())]),
        ),
    ...options(command, shown),
    examples === '' ? '' : fence('sh', examples),
    ...notes,
    ...below.flatMap(each => sections(each, 3, shown)),
  ]
}

function sentence(text: string): string {
  return `${plain(text[0]?.toUpperCase() + text.slice(1))}.`
}

function operands(command: Command): string {
  const told = command.registeredArguments.filter(({ description }) => description)
  if (told.length === 0) return ''
  return table(
    ['operand', 'meaning'],
    told.map(operand => [code(operand.name()), plain(operand.description)]),
  )
}

function options(command: Command, shown: Map<string, string>): string[] {
  const visible = command.options.filter(({ hidden }) => !hidden)
  const groups = Map.groupBy(visible, ({ helpGroupHeading }) => helpGroupHeading ?? 'Options:')
  const tables = [...groups].flatMap(([heading, group]) => [
    heading === 'Options:' ? '' : `**${heading.replace(/:$/, '')}**`,
    table(
      ['option', 'meaning'],
      group.map(option => [code(option.flags), plain(help.optionDescription(option))]),
    ),
  ])
  const text = tables.join('\n')
  const same = shown.get(text)
  if (same !== undefined && visible.length > 3) return [`Its options are those of ${same}.`]
  shown.set(text, link(command))
  return tables
}

/** What a command adds behind its help: examples, and paragraphs of text. */
function afterHelp(command: Command): { examples: string; notes: string[] } {
  let text = ''
  // An emitter, which its types keep to themselves.
  const emitter = command as unknown as EventEmitter
  emitter.emit('afterHelp', { error: false, command, write: (more: string) => (text += more) })
  const paragraphs = text.trim().split(/\n\s*\n/)
  const examples = paragraphs.find(each => each.startsWith('Examples:')) ?? ''
  const notes = paragraphs.filter(each => each !== '' && each !== examples).map(note)
  return { examples: dedent(examples.split('\n').slice(1)), notes }
}

/** Lines that stand in columns stay as they are. */
function note(paragraph: string): string {
  return /^ {2}/m.test(paragraph) ? fence('text', paragraph) : plain(paragraph)
}

function dedent(lines: readonly string[]): string {
  return lines.map(line => line.replace(/^ {2}/, '')).join('\n')
}

import { type Command, CommanderError } from 'commander'
import { commandNameIn, normaliseArguments } from '../../packages/cli/src/argv.ts'
import { ProgramError } from '../../packages/cli/src/errors.ts'
import { createProgram } from '../../packages/cli/src/program.ts'
import { codeBlocksOf, typedIn } from './code-blocks.ts'
import { type Findings, isMarkdown, lineOf, type ProjectFile } from './files.ts'
import { callsOf } from './shell.ts'

interface ShownCall {
  readonly words: readonly string[]
  readonly line: number
  /** In running text, where what everybody knows may be left out. */
  readonly isInline: boolean
}

/** What texts call the program with, its own parser takes: commands, flags, their values, operands. */
export async function checkProgram(files: readonly ProjectFile[]): Promise<Findings> {
  const anyFlag = flagsBelow(await parserOf('all'))
  const problems: string[] = []
  let count = 0
  for (const file of files.filter(isMarkdown)) {
    for (const call of [...blockCalls(file), ...inlineCalls(file)]) {
      const args = argumentsOf(call.words)
      if (!args) continue
      count++
      const problem = await problemOf(args, call.isInline)
      if (problem) problems.push(`${file.path}:${call.line}: arriero ${args.join(' ')}: ${problem}`)
    }
    for (const { code, line } of inlineCode(ours(file))) {
      // A flag alone, as in running text.
      const alone = /^(--?[a-z][a-z-]*)(?:[ =][^ ]+)?$/.exec(code)?.[1]
      if (alone === undefined) continue
      count++
      if (!anyFlag.has(alone)) problems.push(`${file.path}:${line}: the program has no flag ${alone}`)
    }
  }
  return { what: 'commands and flags', count, problems }
}

function blockCalls(file: ProjectFile): ShownCall[] {
  return codeBlocksOf(file).flatMap(block => {
    const typed = typedIn(block) ?? ''
    return callsOf(typed).map(({ words, index }) => ({
      words,
      line: block.line - 1 + lineOf(typed, index),
      isInline: false,
    }))
  })
}

function inlineCalls(file: ProjectFile): ShownCall[] {
  return inlineCode(ours(file)).flatMap(({ code, line }) =>
    callsOf(code).map(({ words }) => ({ words, line, isInline: true })),
  )
}

function inlineCode(text: string): { code: string; line: number }[] {
  const outside = text.replaceAll(/^[ \t]*```[\s\S]*?^[ \t]*```/gm, block => block.replaceAll(/[^\n]/g, ' '))
  return [...outside.matchAll(/`([^`\n]+)`/g)].map(({ 1: code = '', index }) => ({ code, line: lineOf(text, index) }))
}

/** Pages for those who come from other programs show in the first cell of a row what these have. */
function ours({ path, text }: ProjectFile): string {
  if (!/\/from-[\w-]+\.md$/.test(path)) return text
  return text.replaceAll(/^\| [^|\n]*(?:\\\|[^|\n]*)*/gm, cell => cell.replaceAll(/[^\n]/g, ' '))
}

/** Undefined: another program is called. In a container ours stands for the image. */
function argumentsOf([first = '', ...rest]: readonly string[]): readonly string[] | undefined {
  if (/^(?:.*\/)?arriero(?:\.js)?$/.test(first)) return rest
  if (/^(?:npx|node|exec|do|then|if)$/.test(first)) return argumentsOf(rest)
  if (first === 'sudo') return argumentsOf(rest[0] === '-u' ? rest.slice(2) : rest)
  if (first !== 'docker') return undefined
  const behind = rest.slice(rest.findIndex(word => /^arriero:\d|^(?:prepare|(?:api|worker)-\d)$/.test(word)) + 1)
  if (rest.includes('exec')) return argumentsOf(behind)
  return rest.includes('run') && behind.length < rest.length && behind.length > 0 ? behind : undefined
}

function parserOf(defined: Iterable<string> | 'all'): Promise<Command> {
  const silent = { write: () => true, isTTY: false, columns: 100, rows: 24 }
  return createProgram({ terminal: { stdout: silent, stderr: silent }, run: () => async () => {}, defined })
}

/** What may be left out in running text. */
const leftOut = /^commander\.(?:missing|optionMissing|help)/

/** A value that is not written out, `9f86d0…`, or that stands for one: `N`, `HOURS`. */
const standIn = /'(?:[^']*…[^']*|[A-Z]+)'/

async function problemOf(words: readonly string[], isInline: boolean): Promise<string | undefined> {
  // Somebody else has to say what stands there.
  const isOpen = isInline || words.includes('…')
  const args = normaliseArguments(words.filter(word => word !== '…'))
  const name = commandNameIn(args)
  const program = await parserOf(name === undefined ? [] : [name])
  try {
    await program.parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    if (!(error instanceof CommanderError || error instanceof ProgramError)) throw error
    if (error instanceof CommanderError && (error.exitCode === 0 || (isOpen && leftOut.test(error.code))))
      return undefined
    if (standIn.test(error.message)) return undefined
    return error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  }
}

/** Of a command and of those below it, in every spelling: also one that a description gives, as `(-cs)`. */
function flagsBelow(command: Command): Set<string> {
  const own = command.options.flatMap(({ short, long, description }) => [
    ...[short, long].filter(flag => flag !== undefined),
    ...[...description.matchAll(/\((--?[a-z][\w-]*)/g)].map(([, flag]) => flag!),
  ])
  return new Set(['-h', '--help', ...own, ...command.commands.flatMap(each => [...flagsBelow(each)])])
}

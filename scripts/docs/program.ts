import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Findings, isMarkdown, lineOf, type ProjectFile, root } from './files.ts'

/** Flags by command; those of `arriero` itself under ''. */
type Program = ReadonlyMap<string, ReadonlySet<string>>

/** Commands and flags that texts show exist. */
export async function checkProgram(files: readonly ProjectFile[]): Promise<Findings> {
  const program = await readProgram()
  const anyFlag = new Set([...program.values()].flatMap(flags => [...flags]))
  const problems: string[] = []
  let count = 0
  for (const file of files.filter(isMarkdown)) {
    for (const { code, index } of codeOf(ours(file))) {
      const told = (what: string) => problems.push(`${file.path}:${lineOf(file.text, index)}: ${what}`)
      for (const { command, flags } of callsIn(code)) {
        count++
        const known = program.get(command)
        if (!known) told(`the program has no command ${command}`)
        else for (const flag of flags) if (!known.has(flag)) told(`arriero ${command} has no flag ${flag}`)
      }
      // A flag alone, as in running text.
      const alone = /^(--?[a-z][a-z-]*)(?:[ =][^ ]+)?$/.exec(code)?.[1]
      if (alone === undefined) continue
      count++
      if (!anyFlag.has(alone)) told(`the program has no flag ${alone}`)
    }
  }
  return { what: 'commands and flags', count, problems }
}

async function readProgram(): Promise<Program> {
  const main = await helpOf()
  const listed = /^Commands:\n([\s\S]*?)\n\n/m.exec(main)?.[1] ?? ''
  const names = commandsIn(listed)
  const helps = await Promise.all(names.map(async name => [name, await flagsBelow(name)] as const))
  return new Map([['', flagsOf(main)], ...helps])
}

function commandsIn(listed: string): string[] {
  return [...listed.matchAll(/^ {2}([a-z][a-z0-9-]*) /gm)].map(([, name]) => name!).filter(name => name !== 'help')
}

/** Those of a command and of the commands below it. */
async function flagsBelow(...command: string[]): Promise<Set<string>> {
  const help = await helpOf(...command)
  const below = commandsIn(/^Commands:\n([\s\S]*?)\n\n/m.exec(help)?.[1] ?? '')
  const flags = await Promise.all(below.map(name => flagsBelow(...command, name)))
  return new Set([...flagsOf(help), ...flags.flatMap(each => [...each])])
}

async function helpOf(...command: string[]): Promise<string> {
  const args = ['packages/cli/bin/arriero.js', ...command, '--help']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  return stdout
}

/** Flags of the lists, and those that a description gives as another spelling: `(-cs)`. */
function flagsOf(help: string): Set<string> {
  return new Set([...help.matchAll(/(?:^ {2,}|, |\()(--?[a-zA-Z][\w-]*)/gm)].map(([, flag]) => flag!))
}

/** Pages for those who come from other programs show in the first cell of a row what these have. */
function ours({ path, text }: ProjectFile): string {
  if (!/\/from-[\w-]+\.md$/.test(path)) return text
  return text.replaceAll(/^\| [^|\n]*(?:\\\|[^|\n]*)*/gm, cell => cell.replaceAll(/[^\n]/g, ' '))
}

/** Shell lines of fenced blocks, with continued ones joined, and inline code. */
function* codeOf(text: string): Generator<{ code: string; index: number }> {
  for (const block of text.matchAll(/^```(?:sh|console)\n([\s\S]*?)^```/gm)) {
    const joined = block[1]!.replaceAll('\\\n', '  ')
    let index = block.index
    for (const code of joined.split('\n')) {
      index += code.length + 1
      yield { code: code.replace(/^\$ /, '').replace(/(?:^| {2,})#.*$/, ''), index }
    }
  }
  const outside = text.replaceAll(/^```[\s\S]*?^```/gm, block => block.replaceAll(/[^\n]/g, ' '))
  for (const { 1: code = '', index } of outside.matchAll(/`([^`\n]+)`/g)) yield { code, index }
}

/** Calls of the program in a line of shell. */
function* callsIn(line: string): Generator<{ command: string; flags: string[] }> {
  for (const part of line.split(/[|;<]|&&/)) {
    const words = part.trim().split(/\s+/)
    if (words[0] === 'npx') words.shift()
    if (words[0] !== 'arriero') continue
    // What follows is for somebody else.
    const end = words.indexOf('--')
    if (end !== -1) words.length = end
    const first = words[1] ?? ''
    const isCommand = /^[a-z]/.test(first)
    const flags = words.slice(isCommand ? 2 : 1).filter(word => /^--?[a-zA-Z]/.test(word))
    yield { command: isCommand ? first : '', flags: flags.map(flag => flag.replace(/=.*$/, '')) }
  }
}

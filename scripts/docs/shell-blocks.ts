import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { type CodeBlock, codeBlocksOf, typedIn } from './code-blocks.ts'
import { type Findings, isMarkdown, lineOf, type ProjectFile, root } from './files.ts'
import { callsOf } from './shell.ts'

/** Blocks of shell are such, and the scripts and files of this repository that they call are there. */
export async function checkShell(files: readonly ProjectFile[]): Promise<Findings> {
  const { scripts } = JSON.parse(files.find(({ path }) => path === 'package.json')!.text)
  const blocks = files
    .filter(isMarkdown)
    .flatMap(codeBlocksOf)
    .flatMap(block => ({ block, typed: typedIn(block) ?? '' }))
    .filter(({ typed }) => typed.trim() !== '')
  const wrong = blocks.flatMap(({ block, typed }) =>
    callsOf(typed).flatMap(({ words, index }) => {
      const line = block.line - 1 + lineOf(typed, index)
      return problemsOf(words, scripts).map(what => `${block.path}:${line}: ${what}`)
    }),
  )
  return { what: 'blocks of shell', count: blocks.length, problems: [...wrong, ...(await misspelt(blocks))] }
}

function problemsOf(words: readonly string[], scripts: Readonly<Record<string, string>>): string[] {
  const [program, verb, name = ''] = words
  const script = program === 'npm' && verb === 'test' ? 'test' : program === 'npm' && verb === 'run' ? name : undefined
  if (script !== undefined && !(script in scripts)) return [`there is no script ${script}`]
  return words
    .filter(word => /^(?:packages|docs|e2e|bench|scripts|examples|deploy)\/[\w./*-]+\.\w+$/.test(word))
    .filter(path => globSync(path, { cwd: root }).length === 0 && !/^docs\/dist\/|^bench\/out\//.test(path))
    .map(path => `there is no file ${path}`)
}

/** What `bash` cannot read. One process reads them all. */
async function misspelt(blocks: readonly { block: CodeBlock; typed: string }[]): Promise<string[]> {
  const script = 'while IFS= read -r -d "" text; do bash -n <<<"$text" 2>&1 | head -n 1; printf "\\0"; done'
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(blocks.map(({ typed }) => `${typed}\0`).join(''))
  let told = ''
  for await (const piece of child.stdout.setEncoding('utf8')) told += piece
  return told.split('\0').flatMap((text, at) => {
    const { block } = blocks[at] ?? {}
    return block && text.trim() !== '' ? [`${block.path}:${block.line}: bash cannot read this: ${text.trim()}`] : []
  })
}

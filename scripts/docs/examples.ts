import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Findings, isMarkdown, lineOf, type ProjectFile, root } from './files.ts'

interface Example {
  readonly path: string
  /** Line of the first line of code. */
  readonly line: number
  readonly code: string
  /** The file of the project that it shows, named on the line above. The project's own type check sees that one. */
  readonly file: string | undefined
}

const folder = join(root, 'node_modules/.cache/docs-examples')
const door = 'packages/transfer/src/index.ts'
/** What an example may leave to its reader. */
const standIns = ['report', 'show', 'use', 'fetch']

/**
 * Examples in texts, and in the comments of what the door exports, pass the type checker against the sources. What they
 * use of the door and of `node:fs`, they may use without an import. One that shows a file of the project is that file, word
 * for word.
 */
export async function checkExamples(files: readonly ProjectFile[]): Promise<Findings> {
  const index = files.find(file => file.path === door)?.text ?? ''
  const exporting = new Set([...index.matchAll(/ from '\.\/(.*)'/g)].map(([, path]) => `packages/transfer/src/${path}`))
  const found = files
    .filter(file => isMarkdown(file) || exporting.has(file.path))
    .flatMap(file => [...examplesOf(file)])
  const shown = found.filter(({ file }) => file !== undefined)
  const examples = found.filter(({ file }) => file === undefined)
  const names = exportsOf(index)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await Promise.all(examples.map(({ code }, index) => writeFile(join(folder, fileOf(index)), complete(code, names))))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings(examples)))
  const wrong = (await typeCheck()).map(problem => translate(problem, examples))
  const stale = shown.filter(({ file, code }) => files.find(({ path }) => path === file)?.text !== code)
  const problems = [...wrong, ...stale.map(({ path, line, file }) => `${path}:${line}: this is not what ${file} says`)]
  return { what: 'examples', count: found.length, problems }
}

function settings(examples: readonly Example[]) {
  const compilerOptions = {
    noEmit: true,
    composite: false,
    incremental: true,
    tsBuildInfoFile: '../docs-examples.tsbuildinfo',
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    customConditions: ['source'],
    verbatimModuleSyntax: false,
    isolatedModules: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  return { extends: join(root, 'tsconfig.base.json'), compilerOptions, files: examples.map((_, i) => fileOf(i)) }
}

function* examplesOf(file: ProjectFile): Generator<Example> {
  for (const match of file.text.matchAll(/(?:^`([\w/.-]+\.ts)`:\n\n)?^([ *]*)```ts\n([\s\S]*?)^\2```/gm)) {
    const [, shown, margin = '', block = ''] = match
    const code = block.replaceAll(/^.*$/gm, row =>
      row.startsWith(margin) ? row.slice(margin.length) : row.trimStart().replace(/^\*/, ''),
    )
    yield { path: file.path, line: lineOf(file.text, match.index) + (shown ? 3 : 1), code, file: shown }
  }
}

/** Names that `export { … } from` lines give, types included. */
function exportsOf(text: string): string[] {
  return [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => namesIn(list))
}

/** A list of several lines ends with a comma, behind which there is no name. */
function namesIn(list = ''): string[] {
  const names = list.split(',').map(name => name.replace(/^\s*type /, '').trim())
  return names.filter(name => name !== '')
}

/** What is added before stays on one line, so that line numbers move by one only. */
function complete(code: string, names: readonly string[]): string {
  const imported = code.matchAll(/^import (?:type )?\{([^}]*)\}/gm)
  const has = new Set([...imported].flatMap(([, list]) => namesIn(list)))
  const uses = (name: string) => !has.has(name) && new RegExp(`(?<![.\\w])${name}\\b`).test(code)
  const head = [
    `import { ${names.filter(uses).join(', ')} } from '@arriero/transfer'`,
    uses('createReadStream') ? "import { createReadStream } from 'node:fs'" : '',
    ...standIns.filter(uses).map(name => `declare function ${name}(...given: unknown[]): void`),
  ]
  return `${head.join(';')}\n${code}\nexport {}\n`
}

async function typeCheck(): Promise<string[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder })
    return []
  } catch (error) {
    const { stdout = '', message } = error as { stdout?: string; message: string }
    const lines = stdout.split('\n').filter(line => /error TS/.test(line))
    return lines.length > 0 ? lines : [message]
  }
}

/** From `3.ts(5,7): error …` to the place where the example stands. */
function translate(problem: string, examples: readonly Example[]): string {
  const match = /^example-(\d+)\.ts\((\d+),\d+\): error \w+: (.*)$/.exec(problem)
  const example = match && examples[Number(match[1])]
  return example ? `${example.path}:${example.line + Number(match[2]) - 2}: the example fails: ${match[3]}` : problem
}

function fileOf(index: number): string {
  return `example-${index}.ts`
}

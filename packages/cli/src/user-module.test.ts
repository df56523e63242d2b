import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../test/load-modules.ts', import.meta.url))

const wrong: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ['end.mjs', 'export default {\n  onPlan( {\n}\n', /Unexpected end of input \(.*end\.mjs:\d+\)$/],
  ['middle.mjs', 'const a = 1\nconst b = = 2\nexport default 1\n', /Unexpected .*\(.*middle\.mjs:2: const b = = 2\)$/],
  ['typed.ts', 'const a: number = 1\nconst b = await 3 4\n', /\(.*typed\.ts:2: const b = await 3 4\)$/],
  ['enum.ts', 'enum A { b }\nexport default A\n', /enum is not supported.*\(.*enum\.ts:1: enum A/],
  ['missing.mjs', 'import x from "nowhere"\n', /Cannot find package 'nowhere' imported from .*missing\.mjs$/],
  ['named.mjs', 'import { nope } from "node:fs"\n', /named 'nope' \(.*named\.mjs:1: import/],
  ['throws.mts', '\n\nthrow new Error("boom")\n', /Cannot load .*: boom \(.*throws\.mts:3\)$/],
  ['thrown.mjs', 'throw 3\n', /it threw 3$/],
  ['text.txt', 'hello', /Unknown file extension/],
  ['none.mjs', 'export const a = 1, b = 2', /default export must be a function, it exports only a, b$/],
  ['empty.mjs', '', /default export must be a function, it exports nothing$/],
  ['number.mjs', 'export default 3', /default export must be a function, got a number$/],
  ['null.mjs', 'export default null', /default export must be a function, got null$/],
  ['list.mjs', 'export default []', /default export must be a function, got an array$/],
]

const good = `import { isRetriable } from '@arriero/transfer'
export default (): boolean => isRetriable(new Error('any'))
`

describe('loadUserModule() and defaultExportOf()', () => {
  let directory: string
  let answers: Map<string, Record<string, unknown>>

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'user-module-'))
    const files = [...wrong, ['good.ts', good]] as const
    for (const [name, text] of files) await writeFile(join(directory, name), text)
    const names = [...files.map(([name]) => name), 'gone.ts', '.']
    const args = ['--conditions=source', program, ...names.map(name => join(directory, name))]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const lines = stdout.trimEnd().split('\n')
    answers = new Map(lines.map((line, index) => [names[index] as string, JSON.parse(line)]))
  })

  afterAll(() => rm(directory, { recursive: true }))

  test('TypeScript that lies where there is no node_modules is given the engine', () => {
    expect(answers.get('good.ts')).toEqual({ url: expect.stringMatching(/^file:\/\/\/.*good\.ts$/), made: false })
  })

  test.each(wrong)('what is wrong with %s is said in one line, with its place', (name, _, message) => {
    expect(answers.get(name)).toMatchObject({ name: 'ProgramError', code: 'Usage' })
    expect(answers.get(name)?.message).toMatch(message)
    expect(answers.get(name)?.message).not.toContain('\n')
  })

  test('a path that leads to no file is named', () => {
    expect(answers.get('gone.ts')?.message).toMatch(/^Cannot load .*gone\.ts: there is no such file$/)
    expect(answers.get('.')?.message).toMatch(/it is not a file$/)
  })
})

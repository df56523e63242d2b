import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command, Option } from 'commander'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testTerminal } from '../test/terminal.ts'
import { pathOf } from './commands/path.ts'
import { main } from './main.ts'
import { createProgram } from './program.ts'

const { terminal: nobody } = testTerminal()
const program = await createProgram({ terminal: nobody, run: () => async () => {}, defined: 'all' })
const all = below(program)

function below(command: Command): Command[] {
  return [command, ...command.commands.flatMap(below)]
}

const wordsOf = (command: Command) => pathOf(command).split(' ').slice(1)
const takesLibrarian = (command: Command) => command.options.some(({ long }) => long === '--librarian')

/** Two librarians that refuse whoever asks, and remember it. */
const asked: string[] = []
const servers = ['here', 'remote'].map(name =>
  createServer((request: IncomingMessage, response) => {
    asked.push(name)
    request.resume()
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"reason":"no","suggested_remedy":"none"}')
  }),
)

let folder!: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-hand-down-'))
  await writeFile(join(folder, 'list.csv'), `url,md5\nhttp://127.0.0.1:9/a,${'0'.repeat(32)}\n`)
  await writeFile(join(folder, 'data'), 'data')
  await writeFile(join(folder, 'password'), 'long enough', { mode: 0o600 })
  const connections: Record<string, unknown> = {}
  for (const [at, name] of ['here', 'remote'].entries()) {
    await new Promise<void>(resolve => servers[at]!.listen(0, '127.0.0.1', resolve))
    const { port } = servers[at]!.address() as AddressInfo
    connections[name] = { host: 'http://127.0.0.1', port, user: 'ada', password: 'x' }
  }
  await writeFile(join(folder, 'settings'), JSON.stringify({ connections }), { mode: 0o600 })
})
afterAll(async () => {
  for (const server of servers) server.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => void asked.splice(0))

async function run(args: readonly string[]) {
  const env = { HOME: folder, HL_CLIENT_CONFIG: join(folder, 'settings'), ARRIERO_LIBRARIAN: 'here' }
  const { terminal, texts } = testTerminal({ env })
  const code = await main(args, terminal, new AbortController().signal)
  return { code, ...texts }
}

/** What the command cannot do without, filled with something that it takes. */
function needsOf(command: Command): string[] {
  const operands = command.registeredArguments
    .filter(each => each.required || command.name() === 'ingest')
    .map(each => operand(command, each.name()))
  const options = command.options.filter(({ mandatory }) => mandatory).flatMap(filled)
  const password = command.options.some(({ long }) => long === '--password-file')
    ? ['--password-file', join(folder, 'password')]
    : []
  return [...operands, ...(command.name() === 'upload' ? ['a/b'] : []), ...options, ...password]
}

function operand(command: Command, name: string): string {
  if (command.name() === 'upload') return join(folder, 'data')
  if (command.name() === 'ingest') return join(folder, 'list.csv')
  return name === 'address' ? 'https://other.example.org' : '1'
}

function filled({ long, argChoices }: Option): string[] {
  return [long as string, argChoices?.[0] ?? 'x']
}

function kindOf({ required, optional, variadic, negate, argChoices }: Option) {
  return { required, optional, variadic, negate, argChoices }
}

/** `--librarian NAME` in every place of the command's words where people may write it. */
function places(command: Command, name: string): string[][] {
  const words = wordsOf(command)
  const given = ['--librarian', name]
  const last = [...words, ...needsOf(command), ...given]
  if (words.length === 1) return [last, [...words, ...given, ...needsOf(command)]]
  const [first = '', ...rest] = words
  return [last, [first, ...given, ...rest, ...needsOf(command)], [...words, ...given, ...needsOf(command)]]
}

describe.each(all.filter(takesLibrarian).map(command => ({ name: wordsOf(command).join(' '), command })))(
  '--librarian of $name',
  ({ command }) => {
    test('is the one that is asked, wherever it stands, and no other', async () => {
      for (const args of places(command, 'remote')) {
        asked.splice(0)
        await run(args)
        expect(new Set(asked), args.join(' ')).toEqual(new Set(['remote']))
      }
    })

    test('is wrong use where it names nobody, and nobody is asked', async () => {
      for (const args of places(command, 'nonexistent')) {
        const { code, stderr } = await run(args)
        expect({ code, asked }, args.join(' ')).toEqual({ code: 2, asked: [] })
        expect(stderr).toContain('No librarian named nonexistent')
      }
    })
  },
)

describe('options of a command and of one below it', () => {
  test('every command with a librarian below another has the option as well', () => {
    const lacking = all.flatMap(command =>
      takesLibrarian(command) ? command.commands.filter(each => !takesLibrarian(each)).map(pathOf) : [],
    )
    expect(lacking).toEqual([])
    expect(all.filter(takesLibrarian).length).toBeGreaterThan(20)
  })

  test('the help of a command lists each flag once, and only flags that it takes', () => {
    for (const command of all) {
      const listed = [...command.helpInformation().matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag)
      const taken = [...command.options, ...program.options].filter(({ hidden }) => !hidden).map(({ long }) => long)
      expect(new Set(listed), pathOf(command)).toEqual(new Set([...taken, '--help']))
      expect(listed.length, pathOf(command)).toBe(new Set(listed).size)
    }
  })

  test('take the same values', () => {
    for (const above of all) {
      for (const option of above.options) {
        for (const each of below(above).slice(1)) {
          const own = each.options.find(({ long }) => long === option.long)
          // What the program itself has, it takes from wherever it stands.
          if (above === program) expect(own, `${pathOf(each)} ${option.long}`).toBeUndefined()
          else if (own) expect(kindOf(own), pathOf(each)).toEqual(kindOf(option))
        }
      }
    }
  })

  test.each([
    [['errors', 'raise', 'text', '--severity', 'critical', '--category', 'other']],
    [['errors', '--severity', 'critical', 'raise', '--category', 'other', 'text']],
  ])('%j reaches the one below, also where it must be given', async args => {
    const seen: unknown[] = []
    const run =
      () =>
      async (...received: unknown[]) =>
        void seen.push((received.at(-1) as Command).opts())
    const fresh = await createProgram({ terminal: nobody, run: run as never, defined: ['errors'] })
    const choices = fresh.commands.find(each => each.name() === 'errors')!.options
    const other = choices.find(({ long }) => long === '--category')!.argChoices!.at(-1) as string
    await fresh.parseAsync(
      args.map(each => (each === 'other' ? other : each)),
      { from: 'user' },
    )
    expect(seen).toEqual([{ severity: 'critical', category: other }])
  })

  test.each([
    [['trash', 'restore', '1', '--store', 'a'], 'arriero trash restore has no option --store.'],
    [['librarians', '--ping', 'remove', 'a'], 'arriero librarians remove has no option --ping.'],
    [['bench', 'report', 'x', '--repeat', '2'], 'arriero bench report has no option --repeat.'],
  ])('%j is wrong use: what the one below does not know is not passed over', async (args, message) => {
    const { code, stderr } = await run(args)
    expect({ code, asked }).toEqual({ code: 2, asked: [] })
    expect(stderr).toContain(message)
  })

  test.each(['--json', '--quiet', '-q', '--verbose'])('%s is the program’s own wherever it stands', async flag => {
    for (const args of [
      [flag, 'users', 'show', 'a'],
      ['users', flag, 'show', 'a'],
      ['users', 'show', 'a', flag],
    ]) {
      const seen: unknown[] = []
      const run =
        () =>
        async (...received: unknown[]) =>
          void seen.push((received.at(-1) as Command).optsWithGlobals())
      const fresh = await createProgram({ terminal: nobody, run: run as never, defined: ['users'] })
      await fresh.parseAsync(args, { from: 'user' })
      const key = { '--json': 'json', '--verbose': 'verbose' }[flag] ?? 'quiet'
      expect(seen).toEqual([expect.objectContaining({ [key]: flag === '--verbose' ? expect.anything() : true })])
    }
  })
})

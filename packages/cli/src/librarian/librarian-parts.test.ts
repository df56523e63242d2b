import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testTerminal } from '../../test/terminal.ts'
import { createContext } from '../context.ts'
import { createOutcomes, type Done } from './outcomes.ts'
import { readNewPassword, readPassword } from './read-password.ts'
import { showTable } from './show-table.ts'
import { uploadRequests } from './upload-requests.ts'

let folder!: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-librarian-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function context(options: Parameters<typeof testTerminal>[0] = {}, flags = {}) {
  const { terminal, texts, said } = testTerminal(options)
  const all = { json: false, quiet: false, verbosity: 0, ...flags }
  return { context: createContext(terminal, all, new AbortController().signal), texts, said }
}

describe('showTable()', () => {
  const rows = [
    ['a\u001b[2J', 1],
    ['bcd', 22],
  ]

  test('aligns below bold headings on a terminal', () => {
    const { context: seen, texts } = context({ isTTY: true })
    showTable(['Name', 'N'], rows, seen)
    expect(texts.stdout).toBe('\u001b[1mName      N\u001b[22m\na\\x1b[2J  1\nbcd       22\n')
  })

  test('gives a name that leaves no room a line of its own, whole, and keeps to the width', () => {
    const { context: seen, texts } = context({ isTTY: true, columns: 40, env: { NO_COLOR: '1' } })
    const long = `2026/${'x'.repeat(60)}`
    showTable(
      ['Name', 'State'],
      [
        ['short', 'b'.repeat(20)],
        [long, 'ok'],
      ],
      seen,
    )
    const lines = texts.stdout.trimEnd().split('\n')
    expect(lines).toEqual([
      `${'Name'.padEnd(19)}State`,
      `${'short'.padEnd(19)}${'b'.repeat(20)}`,
      long,
      `${' '.repeat(19)}ok`,
    ])
  })

  test('folds columns that have no room below, and shows none that are empty', () => {
    const { context: seen, texts } = context({ isTTY: true, columns: 40, env: { NO_COLOR: '1' } })
    const time = '2026-11-22 07:17:41'
    showTable(
      ['Kind', 'State', 'Ended', 'Next', 'Note'],
      [
        ['scrub', 'waiting', time, time, 'all is well'],
        ['tier', 'off', '', '', ''],
      ],
      seen,
    )
    expect(texts.stdout.trimEnd().split('\n')).toEqual([
      `Kind   State    Ended`,
      `    ${'Next'.padEnd(19)}  Note`,
      `scrub  waiting  ${time}`,
      `    ${time}  all is well`,
      `tier   off`,
    ])
  })

  test('puts tabs between bare cells where nobody looks', () => {
    const { context: piped, texts } = context()
    showTable(['Name', 'N'], rows, piped)
    expect(texts.stdout).toBe('a\\x1b[2J\t1\nbcd\t22\n')
  })
})

describe('readPassword()', () => {
  test('takes the first line of stdin, or of a file of one’s own', async () => {
    const { context: piped } = context({ input: 'from-stdin\nmore' })
    expect(await readPassword({ passwordStdin: true }, '', piped)).toBe('from-stdin')
    await writeFile(join(folder, 'pw'), 'from-file\n', { mode: 0o600 })
    expect(await readPassword({ passwordFile: join(folder, 'pw') }, '', piped)).toBe('from-file')
    await chmod(join(folder, 'pw'), 0o644)
    await expect(readPassword({ passwordFile: join(folder, 'pw') }, '', piped)).rejects.toThrow(/read by others/)
  })

  test('says what to do where nobody can type', async () => {
    await expect(readPassword({}, '', context().context)).rejects.toMatchObject({ exitCode: 2 })
  })

  test('a new one has eight characters at least, whichever way it comes; an old one need not', async () => {
    const { context: short } = context({ input: 'sevench\n' })
    await expect(readNewPassword({ passwordStdin: true }, 'ada', short)).rejects.toThrow(/at least 8 characters/)
    const { context: enough } = context({ input: 'eight ch\n' })
    expect(await readNewPassword({ passwordStdin: true }, 'ada', enough)).toBe('eight ch')
    const { context: old } = context({ input: 'short\n' })
    expect(await readPassword({ passwordStdin: true }, '', old)).toBe('short')
  })

  test('a new one is typed twice', async () => {
    const { context: at } = context()
    const typing = (answers: string[]) => ({
      ...at,
      terminal: { ...at.terminal, readSecret: async () => answers.shift() ?? '' },
    })
    expect(await readNewPassword({}, 'ada', typing(['a word or two', 'a word or two']))).toBe('a word or two')
    await expect(readNewPassword({}, 'ada', typing(['a word or two', 'another word']))).rejects.toThrow(/differ/)
  })
})

describe('uploadRequests()', () => {
  const split = async (operands: string[], options: { isEach?: boolean; followLinks?: boolean }) => {
    const found: [string, string][] = []
    const refused: [string, string][] = []
    const onRefused = (name: string, { message }: Error) => void refused.push([name, message.replace(folder, '')])
    for await (const { path, name } of uploadRequests(operands, { ...options, onRefused }))
      found.push([path.replace(folder, ''), name])
    return { found, refused }
  }
  const all = async (operands: string[], isEach = false) => (await split(operands, { isEach })).found

  test('reads its operands as cp does', async () => {
    expect(await all(['a.nc', 'x/b.nc'])).toEqual([['a.nc', 'x/b.nc']])
    expect(await all(['a.nc', 'x/'])).toEqual([['a.nc', 'x/a.nc']])
    expect(await all(['d/a.nc', 'b.nc', 'x'])).toEqual([
      ['d/a.nc', 'x/a.nc'],
      ['b.nc', 'x/b.nc'],
    ])
    expect(await all(['d/a.nc', '.'])).toEqual([['d/a.nc', 'a.nc']])
    expect(await all(['d/', 'x/'])).toEqual([['d/', 'x/d']])
  })

  test('gives each file of a directory its own name', async () => {
    await mkdir(join(folder, 'n', 'sub'), { recursive: true })
    await writeFile(join(folder, 'n', 'b'), '')
    await writeFile(join(folder, 'n', 'sub', 'a'), '')
    expect(await all([join(folder, 'n'), 'x/'], true)).toEqual([
      ['/n/b', 'x/n/b'],
      ['/n/sub/a', 'x/n/sub/a'],
    ])
  })

  test('names a file whose name is no UTF-8, byte by byte, and goes on with the others', async () => {
    const data = Buffer.from(join(folder, 'n/'))
    await mkdir(data)
    await writeFile(Buffer.concat([data, Buffer.from('caf\xe9.txt', 'latin1')]), '')
    await writeFile(join(folder, 'n', 'café.txt'), '')
    await mkdir(Buffer.concat([data, Buffer.from('\xff', 'latin1')]))
    const { found, refused } = await split([join(folder, 'n'), 'x/'], { isEach: true })
    expect(found).toEqual([['/n/café.txt', 'x/n/café.txt']])
    expect(refused).toEqual(
      ['caf\\xe9.txt', '\\xff'].map(name => [`x/n/${name}`, `Cannot upload /n/${name}: its name is not UTF-8`]),
    )
  })

  async function makeLinks(): Promise<string> {
    const data = join(folder, 'data')
    await mkdir(join(data, 'sub'), { recursive: true })
    await writeFile(join(data, 'sub', 'a'), '')
    await symlink('sub/a', join(data, 'to-file'))
    await symlink('sub', join(data, 'to-directory'))
    await symlink('..', join(data, 'sub', 'up'))
    await symlink('circle', join(data, 'circle'))
    await symlink('absent', join(data, 'nowhere'))
    return data
  }

  test('refuses every link below a directory, by name, and follows none', async () => {
    const { found, refused } = await split([await makeLinks(), 'x/'], { isEach: true })
    expect(found).toEqual([['/data/sub/a', 'x/data/sub/a']])
    expect(refused).toEqual(
      ['circle', 'nowhere', 'sub/up', 'to-directory', 'to-file'].map(each => [
        `x/data/${each}`,
        `Cannot upload /data/${each}: it is a symbolic link`,
      ]),
    )
  })

  test('follows links to files where that is asked for, and none to a directory: it may lead in a circle', async () => {
    const { found, refused } = await split([await makeLinks(), 'x/'], { isEach: true, followLinks: true })
    // Those that lead nowhere fail when they are read, as any file that cannot be.
    const names = ['circle', 'nowhere', 'sub/a', 'to-file']
    expect(found).toEqual(names.map(each => [`/data/${each}`, `x/data/${each}`]))
    expect(refused.map(([name]) => name)).toEqual(['x/data/sub/up', 'x/data/to-directory'])
  })

  test('an operand may itself be a link to a directory', async () => {
    await symlink(await makeLinks(), join(folder, 'link'))
    const { found } = await split([join(folder, 'link'), 'x/'], { isEach: true })
    expect(found).toEqual([['/link/sub/a', 'x/link/sub/a']])
  })

  test.each([['/abs'], ['a/../b'], ['..'], ['a//b'], ['a//']])('refuses the destination %s', async destination => {
    await expect(all(['a', destination])).rejects.toMatchObject({ code: 'Usage' })
  })
})

describe('createOutcomes()', () => {
  const done = (name: string, isNew = true): Done => ({ name, size: 1024, isNew, line: 'good', row: { name } })

  test('a single failure is thrown, for its own exit code', () => {
    const { context: at } = context()
    const outcomes = createOutcomes(at, 'uploaded', {})
    const error = new Error('this')
    outcomes.fail('a', error)
    expect(() => outcomes.end()).toThrow(error)
  })

  test('a single success is a line', () => {
    const { context: at, said } = context()
    const outcomes = createOutcomes(at, 'uploaded', {})
    outcomes.succeed(done('a'))
    expect(outcomes.end()).toBe(0)
    expect(said()).toEqual(['a  good'])
  })

  test('a few are named, of many only how many they are', () => {
    const sayings = (count: number) => {
      const { context: at, said } = context()
      const outcomes = createOutcomes(at, 'uploaded', {})
      for (let n = 0; n < count; n++) outcomes.succeed(done(`f${n}`))
      outcomes.end()
      return said()
    }
    expect(sayings(3)).toEqual(['f0  good', 'f1  good', 'f2  good', expect.stringMatching(/^3 files uploaded/)])
    expect(sayings(11)).toEqual([expect.stringMatching(/^11 files uploaded/)])
  })

  test('several add up, each failure is named, and one makes 1', () => {
    const { context: at, said, texts } = context({}, { json: true })
    const outcomes = createOutcomes(at, 'uploaded', {})
    outcomes.fail('bad', Object.assign(new Error('no'), { name: 'LibrarianError', code: 'FileExists' }))
    outcomes.succeed(done('a'))
    outcomes.succeed(done('b', false))
    expect(outcomes.end()).toBe(1)
    expect(said()).toEqual([])
    expect(
      texts.stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual([
      { ok: false, name: 'bad', error: { code: 'file_exists', message: 'no' } },
      { ok: true, name: 'a' },
      { ok: true, name: 'b' },
      { summary: { listed: 3, ok: 2, uploaded: 1, present: 1, failed: 1 } },
    ])
  })
})

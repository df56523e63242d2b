import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { testTerminal } from '../test/terminal.ts'
import { commands } from './commands/index.ts'
import { main } from './main.ts'
import { version } from './version.ts'

async function run(...args: string[]) {
  const { terminal, texts } = testTerminal()
  const code = await main(args, terminal, new AbortController().signal)
  return { code, ...texts }
}

const visible = Object.keys(commands).filter(name => !commands[name]!.isHidden)

describe('main()', () => {
  test('lists every command in --help', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    for (const name of visible) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
  })

  test.each(visible)('%s --help has examples and fits 80 columns', async name => {
    const { code, stdout } = await run(name, '--help')
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:')
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  test.each([
    ['download-manifest', /<manifest>/],
    ['download-multiple', /--manifest <FILE>/],
    ['download-single', /<id>/],
    ['file download-manifest', /<manifest>/],
    ['file download-single', /<id>/],
    ['drs-pull manifest', /<manifest> \[directory\]/],
    ['drs-pull object', /<id>/],
    ['drs-pull objects', /<id\.\.\.>/],
  ])('gen3 %s --help says what is required, has examples and fits 80 columns', async (name, usage) => {
    const { code, stdout } = await run('gen3', ...name.split(' '), '--help')
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(usage)
    expect(stdout).toMatch(new RegExp(`^Examples:\n  arriero gen3 ${name} `, 'm'))
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  test('gen3 alone lists its commands', async () => {
    const { code, stderr } = await run('gen3')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^ {2}download-single /m)
  })

  test('prints the version of package.json', async () => {
    const { version: expected } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    expect(version).toBe(expected)
    expect(await run('--version')).toMatchObject({ code: 0, stdout: `${expected}\n` })
    expect(await run('librarian', '-V')).toMatchObject({ code: 0, stdout: `librarian ${expected}\n` })
    expect(await run('librarian', '--version')).toMatchObject({ code: 0, stdout: `librarian ${expected}\n` })
  })

  test.each([
    [['gte', 'http://h/x'], /Unknown command 'gte'\. Did you mean get\?/],
    [['get', '--chekcsum', 'x', 'http://h/x'], /Unknown option '--chekcsum'\. Did you mean --checksum\?/],
    [['get', '--jsno', 'http://h/x'], /Did you mean --json\?/],
    [['get', '--if-exists', 'overwrit', 'http://h/x'], /Did you mean overwrite\?/],
    [['get', '--part-size', '8Q', 'http://h/x'], /--part-size takes a size/],
    [['get', '--connections', '0', 'http://h/x'], /--connections/],
    [['get', '--anonymous', '--netrc', 'http://h/x'], /contradict/],
    [['get', '--anonymous', '--aws-profile', 'me', 's3://bucket/x'], /contradict/],
    [['get', '--endpoint', 'nowhere', 's3://bucket/x'], /must be an address/],
    [['get'], /No URL given/],
    [['cat', 'x'], /no URL/],
    [['stat'], /missing required argument/i],
    [['verify'], /Nothing to verify/],
    [['verify', 'x'], /Nothing to compare with/],
    [['completion', 'bsh'], /bash, zsh, fish/],
    [['gen3', 'download-sinlge'], /Did you mean download-single\? See: arriero gen3 --help$/m],
    [['gen3', 'download-single'], /No object given\. See: arriero gen3 download-single --help$/m],
    [['gen3', 'drs-pull', 'objects'], /See: arriero gen3 drs-pull objects --help$/m],
    [
      ['gen3', 'download-manifest', 'x', '--cerd', 'y'],
      /Did you mean --cred\? See: arriero gen3 download-manifest --help$/m,
    ],
    [['get', '--connections', 'many', 'http://h/x'], /See: arriero get --help$/m],
    [['ls', 'x/y'], /write \.\/x\/y\. See: arriero ls --help$/m],
    [['https://h/x'], /Did you mean: arriero get https:\/\/h\/x\?/],
    [['get', 'http://h/x', '-cs', 'abc', '-ca', 'md55'], /md5/],
    [['get', 'http://h/x', '-ca', 'md5'], /needs the --checksum/],
    [['get', 'http://h/x', '--checksum', 'sha265:00'], /sha256/],
  ])('answers %j in one line and with exit code 2, before any transfer', async (args, message) => {
    const { code, stdout, stderr } = await run(...args)
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  test('answers errors as JSON when JSON is asked for', async () => {
    const { code, stdout, stderr } = await run('get', '--json')
    expect(code).toBe(2)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: { code: 'usage', message: 'No URL given.', remedy: 'See: arriero get --help' },
    })
  })

  test('escapes what an argument would do to the terminal', async () => {
    const { stderr } = await run('get', '--\u001b[2J', 'http://h/x')
    expect(stderr).not.toContain('\u001b')
  })

  test('never repeats the secrets of a URL', async () => {
    for (const args of [['https://me:hunter2@h/x?sig=hunter2'], ['get', '-O', 'https://me:hunter2@h/x?sig=hunter2']]) {
      expect((await run(...args)).stderr).not.toContain('hunter2')
    }
  })
})

test('doctor looks at everything and names what it found', async () => {
  const { stdout } = await run('doctor', '--json')
  const findings = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  const checks = findings.map(({ check }) => check)
  for (const check of ['node', 'engine', 'directory', 'fsync', 'syncfs', 'proxy', 'open files', 'memory', 'clock']) {
    expect(checks).toContain(check)
  }
  for (const { level, found } of findings) {
    expect(['ok', 'warn', 'fail']).toContain(level)
    expect(found).not.toBe('')
  }
})

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])('prints a script for %s', async shell => {
    const { code, stdout } = await run('completion', shell)
    expect(code).toBe(0)
    expect(stdout).toContain('arriero complete --')
  })

  test('for bash evaluates nothing that is being typed, and can be sourced twice', async () => {
    const { stdout } = await run('completion', 'bash')
    expect(stdout).not.toContain('eval')
    expect(stdout).not.toContain('readonly')
    expect(stdout).toContain('complete -o default -F')
  })

  test.each([
    [['g'], ['get', 'gen3']],
    [['get', '--if-ex'], ['--if-exists']],
    [
      ['get', '--if-exists', ''],
      ['error', 'skip', 'overwrite', 'rename', 'verify', 'repair'],
    ],
    [['get', '--progress', 'p'], ['plain']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['stat', '--js'], ['--json']],
  ])('offers for %j', async (words, expected) => {
    const { stdout } = await run('complete', '--', ...words)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.slice(0, -1).map(line => line.split('\t')[0])).toEqual(expected)
    expect(lines.at(-1)).toBe(':4')
  })

  test('lets the shell offer files where a file is wanted', async () => {
    for (const words of [
      ['get', '-o', ''],
      ['verify', '--manifest', ''],
    ]) {
      expect((await run('complete', '--', ...words)).stdout).toBe(':0\n')
    }
  })
})

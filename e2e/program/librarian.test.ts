/** Whole processes: `arriero serve` in one, the user's commands in others; either side is killed in between. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { arriero, type Outcome, type RunOptions, startArriero } from '../program.ts'
import { type RunningLibrarian, type SlowWay, startLibrarian, startSlowWay } from './serve.ts'

let folder!: string
let site!: RunningLibrarian
let home!: string
let n = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-librarian-'))
  home = join(folder, 'home')
  await mkdir(home)
  site = await startLibrarian(join(folder, 'data'))
  const logged = await run(['login', 'here', site.url, '--user', 'admin', '--password-file', site.passwordFile])
  expect(logged.code, logged.stderr).toBe(0)
}, 60_000)

afterAll(async () => {
  await site?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A directory and a prefix for each test. */
let here!: string
let prefix!: string
beforeEach(async () => {
  prefix = `t${n++}`
  here = join(folder, prefix)
  await mkdir(here)
})

const env = () => ({
  HOME: home,
  XDG_STATE_HOME: join(home, 'state'),
  HL_CLIENT_CONFIG: undefined,
  ARRIERO_LIBRARIAN: undefined,
})

function run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return arriero(args, { cwd: here ?? folder, ...options, env: { ...env(), ...options.env } })
}

async function put(name: string, content: string | Buffer): Promise<Buffer> {
  const bytes = Buffer.from(content)
  await mkdir(join(here, name, '..'), { recursive: true })
  await writeFile(join(here, name), bytes)
  return bytes
}

/** Where a librarian keeps a name. */
async function pathsBelow(directory: string, name: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true })
  return found.filter(path => path.endsWith(name)).map(path => join(directory, path))
}

const rowsOf = (stdout: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

describe('the README’s second example', () => {
  test('login, upload, search, download and validate', async () => {
    const bytes = await put('ocean.nc', randomBytes(3_000_000))
    const uploaded = await run(['upload', 'ocean.nc', `${prefix}/ocean.nc`])
    expect(uploaded.code, uploaded.stderr).toBe(0)
    expect(uploaded.stderr).toContain('xxh3 ok')

    const found = await run(['search', `${prefix}/*`])
    const [name, size, , uploader, , copies, , checksum, good] = found.stdout.trimEnd().split('\t')
    expect([name, size, uploader, copies, good]).toEqual([`${prefix}/ocean.nc`, '3000000', 'admin', '1', '1'])
    expect(checksum).toMatch(/^xxh3:::[0-9a-f]{32}$/)

    const fetched = await run(['download', `${prefix}/ocean.nc`, '-d', 'data'])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect((await readFile(join(here, 'data', 'ocean.nc'))).equals(bytes)).toBe(true)

    const valid = await run(['validate', `${prefix}/ocean.nc`, '--json'])
    expect(valid.code, valid.stderr).toBe(0)
    expect(rowsOf(valid.stdout)).toMatchObject([{ ok: true, current_checksum: checksum, current_size: 3_000_000 }])
  })

  test('a tree goes in and comes back, with every name', async () => {
    await put('night/a.fits', 'abc')
    await put('night/sub/b c.fits', 'xyz')
    const uploaded = await run(['upload', 'night', `${prefix}/night`, '--json'])
    expect(uploaded.code, uploaded.stderr).toBe(0)
    expect(rowsOf(uploaded.stdout)).toMatchObject([
      { ok: true, kind: 'tree', size: 6, status: 'uploaded', method: 'local' },
    ])
    const fetched = await run(['download', `${prefix}/night`, '-d', 'back'])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect((await readdir(join(here, 'back'), { recursive: true })).sort()).toEqual([
      'night',
      'night/a.fits',
      'night/sub',
      'night/sub/b c.fits',
    ])
    expect(await readFile(join(here, 'back', 'night', 'sub', 'b c.fits'), 'utf8')).toBe('xyz')
    const again = await run(['download', `${prefix}/night`, '-d', 'back', '--json'])
    expect(rowsOf(again.stdout)).toMatchObject([{ ok: true, status: 'skipped' }])
    await writeFile(join(here, 'back', 'night', 'a.fits'), 'abd')
    const differs = await run(['download', `${prefix}/night`, '-d', 'back'])
    expect(differs.code, differs.stderr).toBe(3)
    expect(await readFile(join(here, 'back', 'night', 'a.fits'), 'utf8')).toBe('abd')
  })

  test('what goes out is listed apart from what comes in', async () => {
    const { code, stdout, stderr } = await run(['transfers', '--outgoing', '--json'])
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' })
    expect(await run(['transfers', '--destination', 'far'])).toMatchObject({ code: 2, stdout: '' })
    expect((await run(['transfers', '--outgoing', '--uploader', 'ada'])).code).toBe(2)
  })

  test('many at once: each with its own end, and the sum', async () => {
    for (let at = 0; at < 60; at++) await put(`in/f${at}`, `content ${at}`)
    await symlink('nowhere', join(here, 'in', 'broken'))
    await symlink('.', join(here, 'in', 'circle'))
    const first = await run(['upload', '--each', 'in', `${prefix}/`, '--report', 'report.jsonl'])
    expect(first.code).toBe(1)
    for (const link of ['broken', 'circle']) expect(first.stderr).toContain(`in/${link}: it is a symbolic link`)
    const report = rowsOf(await readFile(join(here, 'report.jsonl'), 'utf8'))
    expect(report.at(-1)).toEqual({ summary: { listed: 62, ok: 60, uploaded: 60, present: 0, failed: 2 } })
    for (const link of ['broken', 'circle']) await rm(join(here, 'in', link))
    const again = await run(['upload', '--each', 'in', `${prefix}/`, '--json'])
    expect(again.code, again.stderr).toBe(0)
    expect(rowsOf(again.stdout).at(-1)).toEqual({
      summary: { listed: 60, ok: 60, uploaded: 0, present: 60, failed: 0 },
    })
    const fetched = await run(['download', `${prefix}/in/*`, '-d', 'out'])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect(await readdir(join(here, 'out'))).toHaveLength(60)
    expect(await readFile(join(here, 'out', 'f17'), 'utf8')).toBe('content 17')
  })

  test('of two names that would be one file here, the second is refused, and both are named', async () => {
    await put('twin', 'one')
    for (const name of ['twins/A', 'twins/a']) {
      const uploaded = await run(['upload', 'twin', `${prefix}/${name}`])
      expect(uploaded.code, uploaded.stderr).toBe(0)
    }
    const fetched = await run(['download', `${prefix}/twins/*`, '-d', 'twins'])
    expect(fetched.code).toBe(1)
    expect(fetched.stderr).toContain(`${prefix}/twins/A`)
    expect(fetched.stderr).toContain(`${prefix}/twins/a`)
    expect(fetched.stderr).toMatch(/-o under another name/)
    expect(await readdir(join(here, 'twins'))).toHaveLength(1)
  })

  test('search for a name with a slash at its end says how to ask for what lies below', async () => {
    const found = await run(['search', `${prefix}/in/`])
    expect(found).toMatchObject({ code: 0, stdout: '' })
    expect(found.stderr).toContain(`'${prefix}/in/**'`)
    expect((await run(['search', `${prefix}/in`])).stderr).toContain('no files found.')
  })
})

describe('names, patterns and what lies below', () => {
  beforeEach(async () => {
    for (const name of ['a*.txt', 'a1.txt', 'b[1].txt', 'deep/a2.txt']) await put(`in/${name}`, name)
    await put('run/x', 'member')
    await put('run/sub/y', 'of a tree')
    expect((await run(['upload', '--each', 'in', `${prefix}/`])).code).toBe(0)
    expect((await run(['upload', 'run', `${prefix}/run`])).code).toBe(0)
  }, 120_000)

  test('a star stands for a part and not for more; with --no-glob for itself', async () => {
    const named = async (args: string[]) =>
      rowsOf((await run(['search', '--json', ...args])).stdout).map(({ name }) => name.slice(prefix.length + 1))
    expect((await named([`${prefix}/in/*.txt`])).sort()).toEqual(['in/a*.txt', 'in/a1.txt', 'in/b[1].txt'])
    expect(await named([`${prefix}/**2.txt`])).toEqual(['in/deep/a2.txt'])
    expect(await named(['--no-glob', `${prefix}/in/a*.txt`])).toEqual(['in/a*.txt'])
    expect((await run(['download', '--no-glob', `${prefix}/in/a*.txt`, '-o', 'one'])).code).toBe(0)
    expect(await readFile(join(here, 'one'), 'utf8')).toBe('a*.txt')
    expect((await run(['download', `${prefix}/in/b[1].txt`, '-o', 'two'])).code).toBe(0)
    const checked = await run(['validate', '--no-glob', `${prefix}/in/a*.txt`, '--json'])
    expect([checked.code, rowsOf(checked.stdout).length]).toEqual([0, 1])
  }, 120_000)

  test('list shows a level, a tree and its members, and all below', async () => {
    const listed = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(['list', '--json', ...args])
      expect(code, stderr).toBe(0)
      return rowsOf(stdout).map(({ name, kind, size }) => `${name.slice(prefix.length)} ${kind} ${size}`)
    }
    expect(await listed(prefix)).toEqual(['/in directory 31', '/run tree 15'])
    expect(await listed(`${prefix}/run`)).toEqual(['/run/sub directory 9', '/run/x file 6'])
    expect(await listed(`${prefix}/run/sub`)).toEqual(['/run/sub/y file 9'])
    expect((await listed('-R', `${prefix}/in`)).sort()).toHaveLength(4)
    const piped = await run(['list', `${prefix}/in`])
    expect(piped.stdout.split('\n')[0]).toMatch(/\/in\/a\*\.txt\t6\tfile\txxh3:::[0-9a-f]{32}$/)
    expect((await run(['list', `${prefix}/none`])).code).toBe(4)
  }, 120_000)

  test('validate gives every name its row, takes patterns, and its exit code tells', async () => {
    const all = await run([
      'validate',
      `${prefix}/none`,
      `${prefix}/in/*.txt`,
      `${prefix}/run`,
      `${prefix}/x*`,
      '--json',
    ])
    expect(all.code).toBe(1)
    const rows = rowsOf(all.stdout)
    expect(rows.map(({ ok }) => ok)).toEqual([false, true, true, true, true, false])
    expect(rows[0]).toMatchObject({ name: `${prefix}/none`, error: { code: 'not_found' } })
    const table = await run(['validate', `${prefix}/none`, `${prefix}/run`])
    expect([table.code, table.stdout.split('\n').map(line => line.split('\t')[3])]).toEqual([
      1,
      ['UNKNOWN', 'ok', undefined],
    ])
    expect((await run(['validate', `${prefix}/in/*.txt`])).code).toBe(0)
  }, 120_000)
})

describe('the older names', () => {
  const old = (args: readonly string[]) => run(['librarian', ...args])

  test('upload is silent, search-files and validate-file print what they printed', async () => {
    await put('f1.bin', 'hello world'.repeat(100))
    const uploaded = await old(['upload', 'here', 'f1.bin', `${prefix}/f1.bin`])
    expect(uploaded).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const found = await old(['search-files', 'here', '--name', `${prefix}/f1.bin`])
    expect(found.stdout).toMatch(
      new RegExp(
        `^${prefix}/f1.bin \\(1.1 kB\\) - \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(\\.\\d+)? - admin - admin\nInstances:\n    /.*${prefix}/f1.bin - AVAILABLE\nNo remote instances of this file found.\n$`,
      ),
    )
    const valid = await old(['validate-file', 'here', `${prefix}/f1.bin`])
    expect(valid.stdout.split('\n').slice(0, 2)).toEqual([
      'Found 1 instances of files in the librarian network.',
      'Checksum Match | Current Checksum                        | Librarian | Original Checksum                      ',
    ])
    expect(valid.stdout).toContain('xxh3:::fece70bec15fa5d04e440dc8809b1a8c')
    expect(await old(['search-files', 'here', '-n', 'none'])).toMatchObject({ code: 0, stdout: 'No results found.\n' })
  })

  test('stores, users and errors', async () => {
    const stores = await old(['get-store-list', 'here'])
    expect(stores.stdout).toMatch(/^files \(local\) \[[0-9.]+ .?B Free\] - Ingestable - Available - Enabled\n$/)
    expect((await old(['search-errors', 'here'])).stdout).toBe('No errors found.\n')
    const user = ['--username', `u${prefix}`]
    const created = await old(['create-user', 'here', ...user, '--password', 'a-password', '--auth-level', 'READONLY'])
    expect(created).toMatchObject({ code: 0, stdout: '' })
    expect((await run(['users', 'show', `u${prefix}`, '--json'])).stdout).toContain('"level":"READONLY"')
    expect((await old(['delete-user', 'here', ...user])).code).toBe(0)
    expect((await old(['get-librarian-list', 'here'])).stdout).toBe('No librarians found.\n')
  })

  test('failures are `error: …` and 1; what is gone names its class', async () => {
    const unknown = await old(['search-files', 'nowhere'])
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toMatch(/^error: .*nowhere/)
    expect((await old(['upload', 'here', 'x', '/abs'])).stderr).toMatch(/^error: destination path must be relative/)
    const gone = await old(['launch-copy', 'a', 'b', 'c', '--dest', 'd'])
    expect(gone.code).toBe(1)
    expect(gone.stderr).toContain('LibrarianClientRemovedFunctionality')
  })

  test('check-connections asks them all, and fails when one does', async () => {
    const good = await old(['check-connections'])
    expect(good.stdout).toContain(`Connection to here (${site.url}) succeeded.`)
    const away = { host: 'http://127.0.0.1', port: 9, user: 'a', password: 'b' }
    const bad = await run(['librarian', 'check-connections'], {
      env: { HOME: here, LIBRARIAN_CLIENT_CONNECTIONS: JSON.stringify({ away }) },
    })
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/^Connection to away \(http:\/\/127.0.0.1:9\) failed: /)
  })
})

describe('what can be wrong', () => {
  test('a name that holds other content is never replaced', async () => {
    await put('f', 'one')
    expect((await run(['upload', 'f', `${prefix}/f`])).code).toBe(0)
    await put('f', 'two')
    const refused = await run(['upload', 'f', `${prefix}/f`])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('kept already')
    const back = await run(['download', `${prefix}/f`, '-o', 'back'])
    expect(back.code, back.stderr).toBe(0)
    expect(await readFile(join(here, 'back'), 'utf8')).toBe('one')
  })

  test('names that nothing has are told with what was meant; a level that is too low, as such; logout forgets', async () => {
    await put('f', 'bytes')
    await put('secret', 'a long password')
    await chmod(join(here, 'secret'), 0o600)
    expect((await run(['upload', 'f', `${prefix}/many/`])).code).toBe(0)
    expect((await run(['search', `${prefix}/many`])).stderr).toContain(`'${prefix}/many/**'`)
    for (const name of [`${prefix}/many`, `${prefix}/many/`]) {
      const absent = await run(['download', name])
      expect([absent.code, absent.stderr]).toEqual([4, expect.stringContaining(`'${prefix}/many/**'`)])
    }
    const around = await run(['upload', 'f', `${prefix}/many`])
    expect([around.code, around.stderr]).toEqual([1, expect.stringContaining(`it becomes ${prefix}/many/f`)])

    const reader = `reader-${prefix}`
    const secret = ['--password-file', 'secret']
    const added = await run(['users', 'add', reader, '--level', 'READONLY', ...secret])
    expect(added.code, added.stderr).toBe(0)
    const own = { env: { HOME: here } }
    expect((await run(['login', 'one', site.url, '--user', reader, ...secret], own)).code).toBe(0)
    expect((await run(['login', 'two', site.url, '--user', reader, ...secret], own)).code).toBe(0)
    const refused = await run(['upload', 'f', `${prefix}/g`, '--librarian', 'one'], own)
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('needs READAPPEND')])
    const denied = await run(['errors', '--librarian', 'one'], own)
    expect([denied.code, denied.stderr]).toEqual([5, expect.stringContaining('needs ADMIN')])
    expect((await run(['logout'], own)).code).toBe(2)
    expect((await run(['logout', 'one'], own)).code).toBe(0)
    expect(await readFile(join(here, '.hl_client.cfg'), 'utf8')).not.toContain('"one"')
    expect((await run(['search', `${prefix}/many/f`], own)).stdout).toContain(`${prefix}/many/f`)
  }, 120_000)

  test('a file whose only copy is damaged is neither called kept nor waited for', async () => {
    await put('f', 'right bytes')
    expect((await run(['upload', 'f', `${prefix}/f`])).code).toBe(0)
    expect((await run(['upload', 'f', `${prefix}/f`])).stderr).toContain('was there already')
    const [kept] = await pathsBelow(join(folder, 'data'), `${prefix}/f`)
    await chmod(kept!, 0o600)
    await writeFile(kept!, 'other bytes')
    expect((await run(['validate', `${prefix}/f`])).code).toBe(3)
    const cells = (await run(['search', `${prefix}/f`])).stdout.trimEnd().split('\t')
    expect([cells[5], cells.at(-1)]).toEqual(['1', '0'])
    expect((await run(['locate', `${prefix}/f`])).stdout).toMatch(/^copy\t\S+\tMISMATCH\t\d{4}-\d\d-\d\d [\d:]+$/m)
    const listed = await run(['list', prefix, '--json'])
    expect(rowsOf(listed.stdout)).toMatchObject([{ name: `${prefix}/f`, copies: { here: 1, good: 0 } }])
    const again = await run(['upload', 'f', `${prefix}/f`])
    expect([again.code, again.stdout]).toEqual([3, ''])
    expect(again.stderr).toMatch(/no copy there is known to be good and within reach: .* is damaged since \d{4}-/)
    expect(again.stderr).toContain('Keep your own copy')
    const many = await run(['upload', 'f', `${prefix}/`, '--json'])
    expect(many.code).toBe(3)
    expect(rowsOf(many.stdout)).toMatchObject([{ ok: false, error: { code: 'no_good_copy' } }])
    const begun = performance.now()
    const fetched = await run(['download', `${prefix}/f`, '-o', 'back'])
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(fetched.code, fetched.stderr).toBe(3)
    expect(fetched.stderr).toContain('recorded as mismatch')
    expect(fetched.stderr).not.toContain('trying again')
    await writeFile(kept!, 'right bytes')
    expect((await run(['validate', `${prefix}/f`])).code).toBe(0)
    expect((await run(['upload', 'f', `${prefix}/f`])).code).toBe(0)
  }, 120_000)

  test('a wrong password is 5, and is not kept', async () => {
    const args = ['login', 'wrong', site.url, '--user', 'admin', '--password-stdin']
    const { code, stderr, stdout } = await run(args, { input: 'hunter2\n' })
    expect(code).toBe(5)
    expect(stderr + stdout).not.toContain('hunter2')
    expect(await readFile(join(home, '.hl_client.cfg'), 'utf8')).not.toContain('wrong')
  })

  test('an unknown name is 4, an unknown librarian 2, nobody there 6', async () => {
    expect((await run(['download', `${prefix}/none`])).code).toBe(4)
    expect((await run(['validate', `${prefix}/none`])).code).toBe(4)
    expect((await run(['search', '--librarian', 'nobody'])).code).toBe(2)
    const connections = { gone: { host: 'http://127.0.0.1', port: 9, user: 'a', password: 'b' } }
    const away = await run(['search'], {
      env: { HOME: here, LIBRARIAN_CLIENT_CONNECTIONS: JSON.stringify(connections) },
    })
    expect(away.code).toBe(6)
    expect(away.stderr).toContain('nobody listens there')
  })

  test('names that could do harm here are escaped', async () => {
    const denied = await run(['download', 'a\u001b[2Jb'])
    expect(denied.code).not.toBe(0)
    expect(denied.stderr).not.toContain('\u001b[2J')
  })

  test('a password is no argument of any newer command', async () => {
    const help = await run(['users', 'add', '--help'])
    expect(help.stdout).toContain('--password-file')
    expect(help.stdout).not.toMatch(/--password </)
  })
})

describe('after a kill', () => {
  const size = 48 << 20
  let away!: RunningLibrarian
  let way!: SlowWay

  beforeAll(async () => {
    // Nobody shares its staging area: bytes go over HTTP, and slowly enough to be met half way.
    away = await startLibrarian(join(folder, 'away'), { hostnames: ['another-machine'] })
    way = await startSlowWay(away.port, 16 << 20)
    const address = `http://127.0.0.1:${way.port}`
    const logged = await run(['login', 'away', address, '--user', 'admin', '--password-file', away.passwordFile])
    expect(logged.code, logged.stderr).toBe(0)
  }, 60_000)

  afterAll(async () => {
    way?.close()
    await away?.stop()
  })

  const upload = () => ['upload', 'big', `${prefix}/big`, '--librarian', 'away', '--checksum', 'sha256', '--json']

  async function expectKept(bytes: Buffer): Promise<void> {
    const fetched = await run(['download', `${prefix}/big`, '-o', 'back', '--librarian', 'away'])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect((await readFile(join(here, 'back'))).equals(bytes)).toBe(true)
  }

  test('of the client: the same command sends only what is missing', async () => {
    const bytes = await put('big', randomBytes(size))
    const killed = startArriero(upload(), { cwd: here, env: env() })
    await way.passed(size / 2)
    killed.process.kill('SIGKILL')
    expect((await killed.outcome).code).toBe(137)
    const again = await run(upload())
    expect(again.code, again.stdout + again.stderr).toBe(0)
    const [row] = rowsOf(again.stdout)
    expect(row).toMatchObject({ ok: true, status: 'uploaded', method: 'http', size })
    expect(row.held).toBeGreaterThan(size / 4)
    await expectKept(bytes)
    expect(await readdir(join(home, 'state', 'arriero', 'uploads'))).toEqual([])
  }, 120_000)

  test('of the server: the client waits, and goes on when it is back', async () => {
    const bytes = await put('big', randomBytes(size))
    const uploading = run(upload())
    await way.passed(size / 2)
    await away.kill()
    await away.start()
    const { code, stdout, stderr } = await uploading
    expect(code, stdout + stderr).toBe(0)
    expect(stderr).toMatch(/trying again in /)
    await expectKept(bytes)
  }, 120_000)
})

describe('a server that is not there', () => {
  const nowhere = async () => {
    const unused = createServer()
    await new Promise<void>(resolve => unused.listen(0, '127.0.0.1', resolve))
    const { port } = unused.address() as AddressInfo
    await new Promise(resolve => unused.close(resolve))
    const connections = { gone: { host: 'http://127.0.0.1', port, user: 'ada', password: 'pw' } }
    await writeFile(join(here, 'settings.json'), JSON.stringify({ connections }), { mode: 0o600 })
    return { HL_CLIENT_CONFIG: join(here, 'settings.json') }
  }
  const why = /nobody listens there \(ECONNREFUSED\); trying again in (a moment|\d+ s)/

  test.each([
    ['upload', ['upload', 'f', 'n']],
    ['download', ['download', 'n']],
  ])(
    '%s says why it waits, and gives up after some seconds',
    async (_, args) => {
      const settings = await nowhere()
      await put('f', 'x')
      const begun = performance.now()
      const { code, stderr } = await run(args, { env: settings })
      expect([code, stderr]).toEqual([6, expect.stringMatching(why)])
      expect(performance.now() - begun).toBeLessThan(25_000)
    },
    60_000,
  )

  test('Ctrl-C ends the waiting at once', async () => {
    const settings = await nowhere()
    await put('f', 'x')
    const { process, outcome } = startArriero(['upload', 'f', 'n'], { cwd: here, env: { ...env(), ...settings } })
    await new Promise<void>(resolve => {
      let told = ''
      process.stderr?.on('data', chunk => {
        told += chunk
        if (why.test(told)) resolve()
      })
    })
    process.kill('SIGINT')
    expect((await outcome).code).toBe(130)
  }, 60_000)
})

/** Directories over HTTP by whole processes: either side is killed in between, and what comes back is what was sent. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { arriero, type Outcome, startArriero } from '../program.ts'
import { type RunningLibrarian, type SlowWay, startLibrarian, startSlowWay } from './serve.ts'

let folder!: string
let site!: RunningLibrarian
let slow!: SlowWay
let home!: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-tree-'))
  home = join(folder, 'home')
  await mkdir(home)
  // Nobody copies into its staging area: all comes over HTTP.
  site = await startLibrarian(join(folder, 'data'), { hostnames: ['elsewhere.example'] })
  slow = await startSlowWay(site.port, 6 << 20)
  for (const [name, url] of [
    ['here', site.url],
    ['slow', `http://127.0.0.1:${slow.port}`],
  ] as const) {
    const logged = await run(['login', name, url, '--user', 'admin', '--password-file', site.passwordFile])
    expect(logged.code, logged.stderr).toBe(0)
  }
}, 90_000)
afterAll(async () => {
  await slow?.close()
  await site?.stop()
  await rm(folder, { recursive: true, force: true })
})

let here!: string
let n = 0
beforeEach(async () => {
  here = join(folder, `t${n++}`)
  await mkdir(here)
})

const env = () => ({
  HOME: home,
  XDG_STATE_HOME: join(home, 'state'),
  HL_CLIENT_CONFIG: undefined,
  ARRIERO_LIBRARIAN: undefined,
})
const run = (args: readonly string[]): Promise<Outcome> => arriero(args, { cwd: here ?? folder, env: env() })
const resultOf = ({ stdout }: Outcome) => JSON.parse(stdout.trim().split('\n')[0] ?? '')

/** Files of all sizes, odd names, an empty directory; `bulk` bytes besides. */
async function makeTree(name: string, bulk = 0): Promise<string> {
  const top = join(here, name)
  const files: Record<string, Buffer | string> = {
    'a.txt': 'abc',
    empty: '',
    'sub/Ångström 1.dat': randomBytes(100_001),
    [`${'long/'.repeat(30)}name`]: 'far below',
    "it's $(odd)": 'x',
  }
  for (let at = 0; at < bulk; at += 4 << 20) files[`bulk/${at}`] = randomBytes(4 << 20)
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(top, path)), { recursive: true })
    await writeFile(join(top, path), bytes)
  }
  await mkdir(join(top, 'void', 'within'), { recursive: true })
  return top
}

/** By the tools that a person has without us. */
function assertSame(a: string, b: string): void {
  const { status, stdout, stderr } = spawnSync('diff', ['-r', a, b], { encoding: 'utf8' })
  expect(status, stdout + stderr).toBe(0)
}

function assertSums(): void {
  const root = join(folder, 'data', 'files')
  const { status, stdout } = spawnSync('sha256sum', ['-c', '--quiet', '.arriero/SHA256SUMS'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(status, stdout).toBe(0)
}

function privateCopies(): Promise<string[]> {
  return readdir(join(folder, 'data', 'files', '.arriero', 'work'))
}

/** What an upload has left in the store besides files. */
async function leftovers(): Promise<string[]> {
  const root = join(folder, 'data', 'files', '.arriero')
  const names = await Promise.all(['work', 'spool'].map(place => readdir(join(root, place))))
  return names.flat().filter(name => !name.startsWith('.offsets'))
}

test('empty files go over HTTP and come back: alone, and among others', async () => {
  for (const name of ['z', 'y', 'x']) await writeFile(join(here, name), name === 'y' ? 'some bytes' : '')
  const sent = await run(['upload', 'z', 'kept/z1', '--librarian', 'here', '--json'])
  expect(sent.code, sent.stderr).toBe(0)
  expect(resultOf(sent)).toMatchObject({ size: 0, method: 'http', status: 'uploaded' })
  const many = await run(['upload', 'z', 'y', 'x', 'kept/', '--librarian', 'here'])
  expect(many.code, many.stderr).toBe(0)
  for (const name of ['z', 'y', 'x']) {
    const got = await run(['download', `kept/${name}`, '--librarian', 'here', '-o', `back-${name}`])
    expect(got.code, got.stderr).toBe(0)
    assertSame(join(here, name), join(here, `back-${name}`))
  }
  const valid = await run(['validate', 'kept/z1', '--librarian', 'here'])
  expect(valid.code, valid.stderr).toBe(0)
  assertSums()
})

test('a directory goes over HTTP and comes back: whole, as a member, empty directories too', async () => {
  const top = await makeTree('tree')
  const sent = await run(['upload', 'tree', 'kept/tree', '--librarian', 'here', '--json'])
  expect(sent.code, sent.stderr).toBe(0)
  expect(resultOf(sent)).toMatchObject({ kind: 'tree', method: 'http', status: 'uploaded' })
  const download = ['download', 'kept/tree', '--librarian', 'here', '-d', 'back']
  const got = await run(download)
  expect(got.code, got.stderr).toBe(0)
  assertSame(top, join(here, 'back', 'tree'))
  assertSame(top, join(folder, 'data', 'files', 'kept', 'tree'))
  assertSums()
  const member = await run(['download', 'kept/tree/sub/Ångström 1.dat', '--librarian', 'here', '-o', 'member.dat'])
  expect(member.code, member.stderr).toBe(0)
  assertSame(join(top, 'sub', 'Ångström 1.dat'), join(here, 'member.dat'))
  const none = await run(['download', 'kept/tree/none', '--librarian', 'here'])
  expect(none.code).toBe(4)
  // The same bytes under each other's names: what the uploader's digest would not see.
  expect((await run(download)).code).toBe(0)
  await writeFile(join(here, 'back', 'tree', 'a.txt'), 'x')
  await writeFile(join(here, 'back', 'tree', "it's $(odd)"), 'abc')
  const swapped = await run(download)
  expect([swapped.code, swapped.stderr]).toEqual([3, expect.stringContaining('under other names')])
  const again = await run(['upload', 'tree', 'kept/tree', '--librarian', 'here', '--json'])
  expect(resultOf(again)).toMatchObject({ status: 'present' })
  expect(await leftovers()).toEqual([])
}, 120_000)

test('both sides are killed in between: the next run goes on, and nothing is lost, doubled or left', async () => {
  const top = await makeTree('big', 40 << 20)
  const upload = ['upload', 'big', 'kept/big', '--librarian', 'slow', '--json']
  const first = startArriero(upload, { cwd: here, env: env() })
  await slow.passed(14 << 20)
  first.process.kill('SIGKILL')
  await first.outcome.catch(() => undefined)
  const second = startArriero(upload, { cwd: here, env: env() })
  await slow.passed(8 << 20)
  await site.kill()
  await site.start()
  const outcome = await second.outcome
  expect(outcome.code, outcome.stderr).toBe(0)
  expect(resultOf(outcome)).toMatchObject({ kind: 'tree', status: 'uploaded', size: expect.any(Number) })
  expect(resultOf(outcome).held).toBeGreaterThan(0)
  assertSame(top, join(folder, 'data', 'files', 'kept', 'big'))
  const got = await run(['download', 'kept/big', '--librarian', 'here', '-o', 'back'])
  expect(got.code, got.stderr).toBe(0)
  assertSame(top, join(here, 'back'))
  assertSums()
  expect(await leftovers()).toEqual([])
}, 240_000)

test('the server is killed while it unpacks: the same command waits for it, and what it acknowledges is whole', async () => {
  const top = join(here, 'many')
  for (let directory = 0; directory < 20; directory++) {
    await mkdir(join(top, `d${directory}`), { recursive: true })
    for (let at = 0; at < 100; at++) await writeFile(join(top, `d${directory}`, `${at}`), `${directory}/${at}`)
  }
  const uploading = startArriero(['upload', 'many', 'kept/many', '--librarian', 'here', '--json'], {
    cwd: here,
    env: env(),
  })
  await vi.waitUntil(async () => (await privateCopies()).length > 0, { timeout: 60_000, interval: 1 })
  await site.kill()
  expect(await readdir(join(folder, 'data', 'files', 'kept'))).not.toContain('many')
  await site.start()
  const outcome = await uploading.outcome
  expect(outcome.code, outcome.stderr + outcome.stdout).toBe(0)
  assertSame(top, join(folder, 'data', 'files', 'kept', 'many'))
  assertSums()
  await vi.waitUntil(async () => (await leftovers()).length === 0, { timeout: 30_000 })
}, 120_000)

test('a tree with a link or a pipe is refused with the reason, over HTTP too', async () => {
  await makeTree('tree')
  await symlink('a.txt', join(here, 'tree', 'link'))
  const linked = await run(['upload', 'tree', 'kept/linked', '--librarian', 'here'])
  expect(linked.code).not.toBe(0)
  expect(linked.stderr).toMatch(/symbolic links/)
  await rm(join(here, 'tree', 'link'))
  spawnSync('mkfifo', [join(here, 'tree', 'pipe')])
  const piped = await run(['upload', 'tree', 'kept/piped', '--librarian', 'here'])
  expect(piped.code).not.toBe(0)
  expect(piped.stderr).toMatch(/pipe/)
  expect(await leftovers()).toEqual([])
}, 60_000)

test('many directories and files at once, and by the older command', async () => {
  for (const name of ['one', 'two']) await makeTree(name)
  await writeFile(join(here, 'three'), '3')
  const sent = await run(['upload', 'one', 'two', 'three', 'many/', '--librarian', 'here', '--json'])
  expect(sent.code, sent.stderr).toBe(0)
  for (const name of ['one', 'two', 'three']) assertSame(join(here, name), join(folder, 'data', 'files', 'many', name))
  const old = await run(['librarian', 'upload', 'here', 'one', 'older/one'])
  expect([old.code, old.stdout]).toEqual([0, ''])
  assertSame(join(here, 'one'), join(folder, 'data', 'files', 'older', 'one'))
  assertSums()
}, 120_000)

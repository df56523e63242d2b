/** `arriero doctor --deployment` and `--ready`, as those who operate a librarian run them. */
import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arriero, nodePath, type Outcome, programPath, startProcess } from '../program.ts'
import { cleanEnvironment } from './clean-environment.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

let folder!: string
let site: RunningLibrarian | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-deployment-'))
  for (const each of ['files', 'staging']) await mkdir(join(folder, each))
})
afterEach(async () => {
  await site?.stop()
  site = undefined
  await rm(folder, { recursive: true, force: true })
})

const run = (...args: string[]): Promise<Outcome> =>
  arriero(['doctor', '--json', ...args], { cwd: folder, env: cleanEnvironment })

interface Told {
  readonly check: string
  readonly level: string
  readonly found: string
  readonly next?: string
}

const bad = ({ stdout }: Outcome): Told[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Told)
    .filter(({ level }) => level !== 'ok')

async function writeSettings(more: object = {}): Promise<void> {
  const store_data = { store_path: join(folder, 'files'), staging_path: join(folder, 'staging'), reserve: 0 }
  const store = { store_name: 'files', store_type: 'local', ingestable: true, store_data, transfer_manager_data: {} }
  const values = { data_directory: folder, encryption_key_file: 'key', add_stores: [store], ...more }
  await writeFile(join(folder, 'arriero.yaml'), JSON.stringify(values), { mode: 0o600 })
}

test('secrets that cannot be read are told one by one, and the rest is looked at all the same', async () => {
  await writeSettings({ globus_client_secret_file: 'globus' })
  await writeFile(join(folder, 'globus'), 'x')
  await chmod(join(folder, 'globus'), 0o644)
  await rm(join(folder, 'staging'), { recursive: true })
  const outcome = await run('--deployment', '--config', 'arriero.yaml')
  expect(outcome.code, outcome.stderr).toBe(1)
  const found = bad(outcome)
  expect(found.map(({ check }) => check)).toEqual(['encryption key', 'settings', 'store'])
  expect(found[0]!.found).toMatch(/encryption_key_file: there is no file/)
  expect(found[1]!.next).toMatch(/^Run: chmod o-rwx/)
  for (const { next } of found) expect(next).toBeTruthy()
})

test.skipIf(process.getuid?.() !== 0)('a server of another user is told whose the store is', async () => {
  await writeSettings({ encryption_key_file: null, encryption_key: Buffer.alloc(32, 1).toString('base64url') })
  await chmod(folder, 0o777)
  await chown(join(folder, 'arriero.yaml'), 65534, 65534)
  await chmod(join(folder, 'files'), 0o755)
  await chmod(join(folder, 'staging'), 0o755)
  const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--']
  try {
    execFileSync('setpriv', [...nobody, nodePath, programPath, '--version'], { stdio: 'pipe' })
  } catch {
    return console.log('NOT RUN doctor as another user: the program cannot be read by others here')
  }
  const args = [programPath, 'doctor', '--json', '--deployment', '--config', 'arriero.yaml']
  const { outcome } = startProcess('setpriv', [...nobody, nodePath, ...args], { cwd: folder, env: cleanEnvironment })
  const found = bad(await outcome)
  expect(found.map(({ found: words }) => words)).toEqual([
    expect.stringMatching(/files \(user 0, group 0, mode 755\) cannot be written by user 65534, group 65534$/),
    expect.stringMatching(/staging \(user 0, /),
  ])
  expect(found[0]!.next).toContain('runAsUser')
})

test('--ready says whether a librarian can do its work, by its exit code', async () => {
  site = await startLibrarian(join(folder, 'site'))
  const ready = await arriero(['doctor', '--quiet', '--ready', site.url])
  expect([ready.code, ready.stdout, ready.stderr]).toEqual([0, '', ''])
  await site.stop()
  const away = await run('--ready', site.url)
  expect([away.code, bad(away)[0]!.level]).toEqual([1, 'fail'])
  expect((await run('--ready', 'not a url')).code).toBe(2)
}, 60_000)

/** What an operator relies on, as whole processes: logs, alarms, health, backups, and the way back after a lost catalogue. */
import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arriero, type Outcome } from '../program.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

let folder!: string
let site: RunningLibrarian | undefined
let hook: Server | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-operate-'))
  await mkdir(join(folder, 'home'))
})
afterEach(async () => {
  await site?.stop()
  hook?.closeAllConnections()
  hook?.close()
  site = hook = undefined
  await rm(folder, { recursive: true, force: true })
})

function run(args: readonly string[]): Promise<Outcome> {
  const env = { HOME: join(folder, 'home'), XDG_STATE_HOME: join(folder, 'state'), HL_CLIENT_CONFIG: undefined }
  return arriero(args, { cwd: folder, env, timeoutMs: 120_000 })
}

async function good(args: readonly string[]): Promise<Outcome> {
  const outcome = await run(args)
  expect(outcome.code, `${args.join(' ')}\n${outcome.stderr}${outcome.stdout}`).toBe(0)
  return outcome
}

async function start(settings: Readonly<Record<string, unknown>>): Promise<RunningLibrarian> {
  site = await startLibrarian(join(folder, 'site'), { settings })
  await good(['login', 'here', site.url, '--user', 'admin', '--password-file', site.passwordFile])
  return site
}

const config = () => join(folder, 'site', 'settings.json')

async function upload(name: string): Promise<Buffer> {
  const bytes = randomBytes(50_000)
  await writeFile(join(folder, 'f'), bytes)
  await good(['upload', 'f', name])
  return bytes
}

async function contentOf(name: string): Promise<Buffer> {
  await rm(join(folder, 'back'), { recursive: true, force: true })
  await good(['download', name, '-d', 'back'])
  return await readFile(join(folder, 'back', name.split('/').at(-1)!))
}

const healthOf = async () => (await fetch(`${site!.url}/health`)).json() as Promise<{ backups: { concerns: string[] } }>

const rowsOf = ({ stdout }: Outcome) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

test('logs go to the files of the settings, and what is wrong to Slack, without secrets', async () => {
  const posts: string[] = []
  hook = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    posts.push(body)
    response.end('ok')
  })
  await new Promise<void>(resolve => hook!.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/services/CANARY-hook`
  await writeFile(join(folder, 'hook'), `${url}\n`, { mode: 0o600 })
  const log = join(folder, 'logs', 'server.log')
  await start({
    displayed_site_name: 'The site',
    log_settings: {
      files: { [log]: '500 MB' },
      slack_webhook_enable: true,
      slack_webhook_url_file: join(folder, 'hook'),
      slack_webhook_level: 'ERROR',
    },
    // A disk that is not mounted.
    backups: { directory: join(folder, 'not-mounted') },
  })
  await expect.poll(() => posts.length, { timeout: 30_000 }).toBeGreaterThan(0)
  const { username, text } = JSON.parse(posts[0]!)
  expect(username).toBe('The site')
  expect(text.split('\n')).toHaveLength(5)
  expect(text).toContain(`there is no directory ${join(folder, 'not-mounted')}`)
  expect((await healthOf()).backups.concerns).toContain('there is no backup of the catalogue')
  const alarms = rowsOf(await good(['errors', '--json']))
  expect(alarms.map(({ error_message, message }) => error_message ?? message).join()).toContain('there is no directory')
  await site!.stop()
  const lines = (await readFile(log, 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'Stopped' })
  expect(JSON.stringify([lines, posts])).not.toMatch(/CANARY|admin-password/)
}, 120_000)

test('8.17: the drill: a lost catalogue comes back from its backup and the stores, and nothing acknowledged is missing', async () => {
  await start({ backups: { every: 1 } })
  const backups = join(folder, 'site', 'backups')
  const before = await upload('night/before')
  // One that was begun when the first file was there: not the one that may have been under way.
  const known = new Set(await readdir(backups))
  const fresh = async () => (await readdir(backups)).filter(name => name.endsWith('.db') && !known.has(name)).sort()
  await expect.poll(async () => (await fresh()).length, { timeout: 60_000 }).toBeGreaterThan(1)
  const backup = join(folder, 'kept.db')
  await copyFile(join(backups, (await fresh()).at(-1)!), backup)
  const after = await upload('night/after')
  await site!.kill()

  const catalogue = join(folder, 'site', 'catalogue.db')
  await truncate(catalogue, 5000)
  const refused = await run(['serve', '--config', config()])
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(/catalogue .* is damaged/)

  const restored = await run(['serve', '--config', config(), '--restore', backup, '--json'])
  expect(restored.code, restored.stderr + restored.stdout).toBe(0)
  const [report] = rowsOf(restored)
  expect(report).toMatchObject({ backup, added: 1, removed: 0, problems: [] })
  // What lay in the staging area of an upload that the older catalogue does not know.
  expect(report.differences.filter(({ difference }: { difference: string }) => difference !== 'unknown-work')).toEqual(
    [],
  )
  expect(report.replaced).toMatch(/catalogue\.db\.replaced-/)
  await site!.start()
  expect((await contentOf('night/before')).equals(before)).toBe(true)
  expect((await contentOf('night/after')).equals(after)).toBe(true)
  await upload('night/later')
  await site!.stop()
  const looked = await run(['doctor', '--catalogue', '--config', config(), '--json'])
  const findings = rowsOf(looked)
  expect(findings.filter(({ level }) => level === 'fail')).toEqual([])
  expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(['newest backup', 'backup restored']))
}, 240_000)

test('a catalogue that is gone altogether comes back from the newest backup; without one, from the stores', async () => {
  await start({ backups: { every: 1 } })
  const bytes = await upload('a')
  await expect.poll(async () => (await healthOf()).backups.concerns, { timeout: 60_000 }).toEqual([])
  await site!.stop()
  for (const ending of ['', '-wal', '-shm']) await rm(join(folder, 'site', `catalogue.db${ending}`), { force: true })
  await good(['serve', '--config', config(), '--restore', 'newest'])
  await site!.start()
  expect((await contentOf('a')).equals(bytes)).toBe(true)
  await site!.stop()

  await rm(join(folder, 'site', 'catalogue.db'))
  await good(['serve', '--config', config(), '--rebuild', '--admin-password-file', site!.passwordFile])
  await site!.start()
  expect((await contentOf('a')).equals(bytes)).toBe(true)
}, 240_000)

test('a catalogue that was put back or made again ends with somebody who can log in, told on the spot', async () => {
  const { rebuilt } = await afterLoss(['--rebuild'])
  expect(rebuilt).toMatchObject({ username: 'admin', password: expect.stringMatching(/^[\w-]{24}$/) })
  expect(await loginCodes(rebuilt!.password!, 'admin-password')).toEqual([0, 5])

  const { rebuilt: anew } = await afterLoss(['--rebuild', '--admin-password-file', site!.passwordFile])
  expect(anew).toEqual({ username: 'admin' })
  expect(await loginCodes('admin-password')).toEqual([0])

  await site!.stop()
  for (const how of [['--restore', 'newest'], ['--replay']]) {
    const [, reset] = rowsOf(await good(['serve', '--config', config(), ...how, '--reset-admin', '--json']))
    await site!.start()
    expect(await loginCodes(reset.admin.password, 'admin-password')).toEqual([0, 5])
    await site!.stop()
  }
}, 240_000)

/** Makes a librarian, loses its catalogue, and has another one made. */
async function afterLoss(
  how: readonly string[],
): Promise<{ rebuilt: { username: string; password?: string } | undefined }> {
  if (!site) await start({ backups: { every: 1 } })
  await expect.poll(async () => (await healthOf()).backups.concerns, { timeout: 60_000 }).toEqual([])
  await site!.stop()
  for (const ending of ['', '-wal', '-shm']) await rm(join(folder, 'site', `catalogue.db${ending}`), { force: true })
  const [, second] = rowsOf(await good(['serve', '--config', config(), ...how, '--json']))
  await site!.start()
  return { rebuilt: second?.admin }
}

async function loginCodes(...passwords: string[]): Promise<number[]> {
  const codes: number[] = []
  for (const password of passwords) {
    const file = join(folder, 'tried')
    await writeFile(file, `${password}\n`, { mode: 0o600 })
    codes.push((await run(['login', 'tried', site!.url, '--user', 'admin', '--password-file', file])).code)
  }
  return codes
}

test('a password of the administrator that is lost is made anew, the server being stopped', async () => {
  await start({ backups: { every: null } })
  const busy = await run(['serve', '--config', config(), '--reset-admin'])
  expect(busy.code).not.toBe(0)
  expect(busy.stderr).toMatch(/has it open/)
}, 120_000)

test('a store whose disk is away makes the server unready, and nothing is taken for lost; it comes back by itself', async () => {
  await start({ backups: { every: null } })
  const bytes = await upload('a')
  const files = join(folder, 'site', 'files')
  await rename(files, `${files}.away`)
  await expect.poll(async () => (await fetch(`${site!.url}/health`)).status, { timeout: 30_000 }).toBe(503)
  await rename(`${files}.away`, files)
  await expect.poll(async () => (await fetch(`${site!.url}/health`)).status, { timeout: 30_000 }).toBe(200)
  expect((await contentOf('a')).equals(bytes)).toBe(true)
}, 120_000)

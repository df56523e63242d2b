/** A catalogue and a copy of it, as whole processes: one has the store, and the other changes nothing there (reliability B4). */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arriero, type Outcome } from '../program.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

const execute = promisify(execFile)

let folder!: string
let sites: RunningLibrarian[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-copies-'))
  await mkdir(join(folder, 'home'))
})
afterEach(async () => {
  await Promise.all(sites.map(site => site.stop()))
  sites = []
  await rm(folder, { recursive: true, force: true })
})

const at = (...names: string[]) => join(folder, ...names)

function run(args: readonly string[]): Promise<Outcome> {
  const env = { HOME: at('home'), XDG_STATE_HOME: at('state'), HL_CLIENT_CONFIG: undefined }
  return arriero(args, { cwd: folder, env, timeoutMs: 120_000 })
}

async function good(args: readonly string[]): Promise<Outcome> {
  const outcome = await run(args)
  expect(outcome.code, `${args.join(' ')}\n${outcome.stderr}${outcome.stdout}`).toBe(0)
  return outcome
}

/** With the settings that a first start makes. */
async function start(name: string): Promise<RunningLibrarian> {
  const site = await startLibrarian(at(name))
  sites.push(site)
  await login(name, site)
  return site
}

async function login(name: string, site: RunningLibrarian): Promise<void> {
  await good(['login', name, site.url, '--user', 'admin', '--password-file', site.passwordFile])
}

async function upload(site: string, name: string): Promise<Outcome> {
  await writeFile(at('f'), `content of ${name}`)
  return await run(['upload', 'f', name, '--librarian', site])
}

async function expectKept(site: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    await rm(at('back'), { recursive: true, force: true })
    await good(['download', name, '-d', 'back', '--librarian', site])
    expect(await readFile(at('back', name), 'utf8')).toBe(`content of ${name}`)
  }
}

async function whyLost(site: string): Promise<string> {
  return (await good(['errors', '--json', '--librarian', site])).stdout
}

const marker = () => readFile(at('one', 'data', 'files', '.arriero', 'marker.json'), 'utf8')

test('a copied data directory leaves the store of the original alone and says why, until it is given a copy of the store', async () => {
  const one = await start('one')
  expect((await upload('one', 'a')).code).toBe(0)
  await execute('cp', ['-a', at('one'), at('two')])
  const before = await marker()

  const two = await start('two')
  expect((await upload('two', 'b')).code).not.toBe(0)
  const why = await whyLost('two')
  expect(why).toContain(at('one', 'data', 'catalogue.db'))
  expect(why).toContain(at('one', 'data', 'files'))
  expect(await marker()).toBe(before)
  expect((await upload('one', 'c')).code).toBe(0)
  await one.kill()
  await one.start()
  expect((await upload('one', 'd')).code).toBe(0)
  await expectKept('one', 'a', 'c', 'd')
  expect((await upload('two', 'b')).code).not.toBe(0)
  await two.stop()

  const settled = await run([
    'serve',
    '--data',
    at('two', 'data'),
    '--replay',
    '--migrate-stores',
    '--take-over-stores',
    '--json',
  ])
  expect(JSON.parse(settled.stdout), settled.stderr).toMatchObject({ takenOver: ['files'], problems: [] })
  await two.start()
  expect((await upload('two', 'b')).code).toBe(0)
  expect(await readFile(at('two', 'data', 'files', 'b'), 'utf8')).toBe('content of b')
  await expectKept('two', 'a', 'b')
  expect((await upload('one', 'b')).code).toBe(0)
}, 240_000)

test('a data directory that was moved keeps its catalogue; its store comes by the operator’s word', async () => {
  const one = await start('one')
  expect((await upload('one', 'a')).code).toBe(0)
  await one.stop()
  await rename(at('one'), at('two'))
  const moved = await run(['serve', '--data', at('two', 'data'), '--replay', '--migrate-stores', '--json'])
  expect(JSON.parse(moved.stdout), moved.stderr).toMatchObject({ takenOver: [], problems: [] })
  await start('two')
  await expectKept('two', 'a')
  expect((await upload('two', 'b')).code).toBe(0)
}, 120_000)

test('a catalogue that was put back by hand has no store until it was brought up to date, with one command', async () => {
  const one = await start('one')
  expect((await upload('one', 'a')).code).toBe(0)
  await one.stop()
  await execute('cp', [at('one', 'data', 'catalogue.db'), at('old.db')])
  await one.start()
  expect((await upload('one', 'b')).code).toBe(0)
  await one.stop()
  for (const rest of ['', '-wal', '-shm']) await rm(`${at('one', 'data', 'catalogue.db')}${rest}`, { force: true })
  await execute('cp', [at('old.db'), at('one', 'data', 'catalogue.db')])

  await one.start()
  expect((await upload('one', 'c')).code).not.toBe(0)
  expect(await whyLost('one')).toContain('older than its store')
  await one.stop()
  const replayed = await run(['serve', '--data', at('one', 'data'), '--replay', '--json'])
  expect(JSON.parse(replayed.stdout), replayed.stderr).toMatchObject({ added: 1, takenOver: [], problems: [] })
  await one.start()
  await expectKept('one', 'a', 'b')
  expect((await upload('one', 'c')).code).toBe(0)
}, 240_000)

/** Two librarians and one store, as whole processes: one has it, and the other changes nothing there (reliability B4, B7). */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arriero, type Outcome } from '../program.ts'
import { type RunningLibrarian, startLibrarian } from './serve.ts'

let folder!: string
let sites: RunningLibrarian[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-keepers-'))
  await mkdir(join(folder, 'home'))
})
afterEach(async () => {
  await Promise.all(sites.map(site => site.stop()))
  sites = []
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

const at = (...names: string[]) => join(folder, ...names)

/** With the same store: as whoever copies settings and changes the catalogue only. */
async function start(name: string): Promise<RunningLibrarian> {
  const data = { store_path: at('one', 'files'), staging_path: at('one', 'staging'), reserve: 0 }
  const store = {
    store_name: 'files',
    store_type: 'local',
    ingestable: true,
    store_data: data,
    transfer_manager_data: {},
  }
  const site = await startLibrarian(at(name), { settings: { name, add_stores: [store], backups: { every: null } } })
  sites.push(site)
  await good(['login', name, site.url, '--user', 'admin', '--password-file', site.passwordFile])
  return site
}

async function upload(site: string, name: string): Promise<Outcome> {
  await writeFile(at('f'), `content of ${name}`)
  return run(['upload', 'f', name, '--librarian', site])
}

async function expectKept(site: string, name: string): Promise<void> {
  await rm(at('back'), { recursive: true, force: true })
  await good(['download', name, '-d', 'back', '--librarian', site])
  expect(await readFile(at('back', name), 'utf8')).toBe(`content of ${name}`)
}

async function expectLost({ url }: RunningLibrarian): Promise<void> {
  const authorization = `Basic ${Buffer.from('admin:admin-password').toString('base64')}`
  const post = async (path: string, body: object) => {
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await fetch(`${url}/api/v2/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: answer.status, body: (await answer.json()) as unknown }
  }
  const health = await fetch(`${url}/health`)
  expect(health.status).toBe(503)
  expect(await health.json()).toMatchObject({ reasons: [expect.stringContaining('another librarian')] })
  expect((await post('admin/stores/list', {})).body).toMatchObject([{ name: 'files', available: false }])
  const staged = await post('upload/stage', {
    upload_size: 3,
    upload_checksum: 'md5:::900150983cd24fb0d6963f7d28e17f72',
    upload_name: 'x',
    destination_location: 'x',
    uploader: 'u',
  })
  expect(staged).toMatchObject({
    status: 413,
    body: { suggested_remedy: expect.stringContaining('another librarian') },
  })
}

/** But for what the one that runs tidies behind its answers. */
const inStore = async () =>
  (await readdir(at('one', 'files'), { recursive: true })).filter(name => !name.startsWith('.arriero/spare')).sort()

const marker = async () => JSON.parse(await readFile(at('one', 'files', '.arriero', 'marker.json'), 'utf8'))

test('a second librarian at one store leaves it alone and says so; the first goes on; a rebuild takes it over while the first runs', async () => {
  const one = await start('one')
  expect((await upload('one', 'a')).code).toBe(0)
  const before = await inStore()
  const { uuid, keeper } = await marker()
  expect(keeper).toMatchObject({ librarian: 'one' })

  const two = await start('two')
  await expectLost(two)
  expect((await upload('two', 'b')).code).not.toBe(0)
  expect(await inStore()).toEqual(before)
  expect(await marker()).toEqual({ uuid, name: 'files', keeper })
  const alarms = await good(['errors', '--json', '--librarian', 'two'])
  expect(alarms.stdout).toMatch(/store files is not available: it belongs to another librarian/)
  expect((await upload('one', 'c')).code).toBe(0)
  await two.stop()
  const looked = await run(['doctor', '--catalogue', '--config', at('two', 'settings.json'), '--json'])
  expect(looked.code).toBe(1)
  const findings = looked.stdout.split('\n').filter(Boolean)
  expect(findings.map(line => JSON.parse(line))).toContainEqual({
    check: 'store-unavailable',
    level: 'fail',
    found: expect.stringContaining(`catalogue ${keeper.catalogue} (one on `),
    next: expect.stringContaining('--rebuild'),
  })

  const rebuilt = await good(['serve', '--config', at('two', 'settings.json'), '--rebuild', '--json'])
  expect(rebuilt.stderr).not.toMatch(/unavailable|"level":"error"/)
  expect(JSON.parse(rebuilt.stdout.split('\n')[0]!)).toMatchObject({ attested: 2, problems: [], taken_over: ['files'] })
  expect(await marker()).toMatchObject({ uuid, keeper: { librarian: 'two' } })
  await expectLost(one)
  expect((await upload('one', 'd')).code).not.toBe(0)
  await two.start()
  await expectKept('two', 'a')
  await expectKept('two', 'c')
  expect((await upload('two', 'e')).code).toBe(0)

  // A catalogue with files does not rebuild, and does not take the store back by trying.
  await one.stop()
  const refused = await run(['serve', '--config', at('one', 'settings.json'), '--rebuild'])
  expect(refused.stderr).toContain('the catalogue must be empty')
  expect(await marker()).toMatchObject({ keeper: { librarian: 'two' } })
  await one.start()
  await expectLost(one)
  await one.stop()

  // By the operator's word it does, with what the other has done there since.
  const replayed = await run([
    'serve',
    '--config',
    at('one', 'settings.json'),
    '--replay',
    '--take-over-stores',
    '--json',
  ])
  expect(JSON.parse(replayed.stdout), replayed.stderr).toMatchObject({ added: 1, takenOver: ['files'], problems: [] })
  await expectLost(two)
  await one.start()
  for (const name of ['a', 'c', 'e']) await expectKept('one', name)
  expect((await upload('one', 'g')).code).toBe(0)
}, 240_000)

test('a librarian whose data directory lies in another one’s store does not start, and writes nothing into the store', async () => {
  await start('one')
  const inside = at('one', 'files', 'mine')
  const refused = await run(['serve', '--data', inside, '--port', '0'])
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(/Cannot make a store of .* which is a store itself/)
  expect(await readdir(join(inside, 'files'))).toEqual([])
}, 120_000)

test('--take-over-stores stands with --restore or --replay only', async () => {
  const outcome = await run(['serve', '--data', at('data'), '--take-over-stores'])
  expect(outcome.code).toBe(2)
  expect(outcome.stderr).toContain('--replay')
}, 60_000)

/** A downstream whose database was lost has its rows again from what its upstream knows (librarian 15). */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openCatalogue } from '../src/catalogue/open.ts'
import { loadSettings, type Settings } from '../src/config.ts'
import { repairDatabase, tellDownstreamOf } from '../src/inspect.ts'
import { silentLog as log } from '../src/log.ts'

const abc = 'xxh3:::06b05ab6733a618578af5f94892f3950'
const staged = 'f6a83488-37c9-45f4-8d6e-9dbb222cd188'
const now = new Date().toISOString().replace('Z', '000Z')
const old = '2020-01-01T00:00:00.000000Z'

interface Site {
  readonly settings: Settings
  readonly folder: string
}

async function newSite(name: string): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-lost-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const place of ['store', 'staging']) await mkdir(join(folder, place))
  const store = {
    store_name: 'main',
    store_type: 'local',
    ingestable: true,
    store_data: { staging_path: join(folder, 'staging'), store_path: join(folder, 'store'), reserve: 0 },
    transfer_manager_data: {},
  }
  const overrides = {
    name,
    data_directory: folder,
    catalogue: `sqlite:${join(folder, 'catalogue.db')}`,
    add_stores: [store],
  }
  return { folder, settings: loadSettings({ env: {}, overrides }) }
}

/** What is known of files at `b`, and of one on its way. */
async function upstream(b: Site, names: readonly string[]): Promise<Site> {
  const a = await newSite('a')
  await using catalogue = await openCatalogue({ url: join(a.folder, 'catalogue.db'), log })
  const file = (name: string) => ({
    name,
    create_time: old,
    size: 3,
    checksum: abc,
    sha256: null,
    kind: 'file' as const,
    is_attested: 1 as const,
    uploader: 'ben',
    source: 'ben',
    first_uploader: null,
  })
  await catalogue.importing.insert({ table: 'file', rows: names.map(file) })
  const token = 'gAAAAAB'
  const peer = {
    id: 5,
    name: 'b',
    url: 'http://localhost',
    port: 1,
    authenticator: token,
    transfers_enabled: 1 as const,
  }
  await catalogue.importing.insert({ table: 'peer', rows: [{ ...peer, last_seen: old, last_heard: old }] })
  const copies = names.map((name, at) => ({
    id: at + 1,
    file_name: name,
    store_id: 1,
    librarian_id: 5,
    copy_time: name === 'long-ago' ? old : now,
    sender: 'a',
  }))
  await catalogue.importing.insert({
    table: 'remote_instance',
    rows: copies.filter(({ file_name }) => !['coming', 'ingested'].includes(file_name)),
  })
  const transfer = (id: number, name: string, destination: string) => ({
    id,
    status: 'ONGOING' as const,
    destination: 'b',
    transfer_size: 3,
    transfer_checksum: abc,
    start_time: now,
    end_time: null,
    file_name: name,
    instance_id: 1,
    remote_transfer_id: id + 100,
    transfer_manager_name: null,
    transfer_data: null,
    send_queue_id: null,
    source_path: null,
    dest_path: destination,
    reason: null,
  })
  const rows = [transfer(11, 'coming', join(b.folder, 'staging', staged, 'coming'))]
  if (names.includes('ingested')) rows.push(transfer(12, 'ingested', join(b.folder, 'staging/gone/ingested')))
  await catalogue.importing.insert({ table: 'outgoing_transfer', rows })
  return a
}

async function told(a: Site): Promise<string> {
  const pieces = tellDownstreamOf({ settings: a.settings, log, librarian: 'b', ageSeconds: 3600 })
  return (await Array.fromAsync(pieces)).join('')
}

test('copies and what was on its way are there again, with their numbers; what differs is told', async () => {
  const b = await newSite('b')
  const at = (name: string) => join(b.folder, 'store', name)
  await mkdir(at('night'))
  for (const name of ['night/a', 'ingested']) await writeFile(at(name), 'abc')
  await writeFile(at('rotten'), 'abd')
  await writeFile(at('short'), 'ab')
  await mkdir(join(b.folder, 'staging', staged))
  await writeFile(join(b.folder, 'staging', staged, 'coming'), 'abc')
  const a = await upstream(b, ['night/a', 'rotten', 'short', 'missing', 'long-ago', 'coming', 'ingested'])
  const statement = await told(a)
  expect(JSON.parse(statement).file_info[0]).toEqual({
    name: 'night/a',
    store_id: 1,
    copy_time: now.slice(0, -1).replace(/\.0+$/, ''),
    size: 3,
    checksum: abc,
    uploader: 'ben',
    source: 'a',
  })
  expect(JSON.parse(statement).transfer_info[0]).toMatchObject({
    source_id: 11,
    destination_id: 111,
    status: 1,
    source: 'a',
  })

  let looked = 0
  const options = { settings: b.settings, log, store: 'main', statement, spotCheck: 1, onFile: () => void looked++ }
  const report = await repairDatabase(options)
  expect(report).toMatchObject({ files: 2, transfers: 1, read: 2 })
  expect(looked).toBe(5)
  expect(report.problems.map(problem => problem.replace(/xxh3:::\w+$/, 'X')).sort()).toEqual([
    expect.stringContaining('main: missing is kept here by what the upstream knows'),
    `main: rotten must have ${abc}, it has X`,
    'main: short must have 3 bytes, it has 2',
  ])
  expect(await repairDatabase(options)).toMatchObject({ files: 0, transfers: 0, known: 3 })

  await using catalogue = await openCatalogue({ url: join(b.folder, 'catalogue.db'), log })
  expect(await catalogue.instances.ofFile({ name: 'night/a' })).toMatchObject({
    file: { checksum: abc, source: 'a', uploader: 'ben' },
    instances: [{ state: 'ok', path: at('night/a') }],
  })
  expect(await catalogue.uploads.get({ id: 111 })).toMatchObject({
    status: 'ONGOING',
    source: 'a',
    staging_path: staged,
    store_path: 'coming',
    source_transfer_id: 11,
  })
})

test('without a spot check nothing is called good that was not read', async () => {
  const b = await newSite('b')
  await writeFile(join(b.folder, 'store/x'), 'abd')
  const statement = await told(await upstream(b, ['x', 'coming']))
  await repairDatabase({ settings: b.settings, log, store: 'main', statement, spotCheck: 0 })
  await using catalogue = await openCatalogue({ url: join(b.folder, 'catalogue.db'), log })
  expect(await catalogue.instances.ofFile({ name: 'x' })).toMatchObject({ instances: [{ state: 'never-checked' }] })
})

test.each([
  ['no JSON', 'gone', 'BadRequest'],
  ['another document', '{"file_info": 3}', 'BadRequest'],
])('%s is refused with a way on', async (_, statement, code) => {
  const { settings } = await newSite('b')
  const refused = repairDatabase({ settings, log, store: 'main', statement, spotCheck: 0 })
  await expect(refused).rejects.toMatchObject({ code, remedy: expect.stringContaining('--source') })
})

test('an unknown store, and an unknown librarian, are named', async () => {
  const b = await newSite('b')
  const a = await upstream(b, ['coming'])
  const statement = await told(a)
  await expect(
    repairDatabase({ settings: b.settings, log, store: 'x', statement, spotCheck: 0 }),
  ).rejects.toMatchObject({
    code: 'UnknownStore',
  })
  const wrong = tellDownstreamOf({ settings: a.settings, log, librarian: 'x', ageSeconds: 1 })
  await expect(Array.fromAsync(wrong)).rejects.toMatchObject({ code: 'UnknownLibrarian' })
})

/** A Python librarian's database becomes a catalogue of ours (librarian 3.14). */
import { execFile as execute } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openCatalogue } from '../src/catalogue/open.ts'
import { loadSettings } from '../src/config.ts'
import { importCatalogue, rebuildCatalogue } from '../src/inspect.ts'
import { silentLog } from '../src/log.ts'
import { openLibrarian } from '../src/open-librarian.ts'
import { onPostgres } from './both-databases.ts'
import { argon, type Extra, type OldRows, writePostgres, writeSqlite } from './installation-of-old.ts'

const execFile = promisify(execute)

describe('from SQLite to SQLite', () =>
  suite({
    write: async (folder, rows, extra) => {
      const path = join(folder, 'old.db')
      writeSqlite(path, rows, extra)
      return `sqlite:${path}`
    },
    createDatabase: async (folder, name) => `sqlite:${join(folder, `${name}.db`)}`,
  }))

await onPostgres(server => {
  describe('from PostgreSQL to PostgreSQL', () =>
    suite({
      write: async (_, rows, extra) => {
        const url = await server.createDatabase()
        await writePostgres(url, rows, extra)
        return url
      },
      createDatabase: () => server.createDatabase(),
    }))
})

interface Databases {
  /** Resolves to where the old rows are. */
  write(folder: string, rows: OldRows, extra?: Extra): Promise<string>
  /** Where a catalogue can be made. */
  createDatabase(folder: string, name: string): Promise<string>
}

function suite({ write, createDatabase }: Databases): void {
  async function setUp(extra?: Extra) {
    const folder = await mkdtemp(join(tmpdir(), 'arriero-import-'))
    onTestFinished(async () => {
      await execFile('chmod', ['-R', 'u+w', folder])
      await rm(folder, { recursive: true, force: true })
    })
    const rows = { storePath: join(folder, 'store'), stagingPath: join(folder, 'staging') }
    await mkdir(join(rows.storePath, 'night'), { recursive: true })
    await mkdir(join(rows.storePath, 'run/1/sub'), { recursive: true })
    await mkdir(rows.stagingPath)
    await writeFile(join(rows.storePath, 'night/a.txt'), 'abc')
    await writeFile(join(rows.storePath, 'night/old.txt'), 'abc')
    await writeFile(join(rows.storePath, 'run/1/a.txt'), 'abc')
    await writeFile(join(rows.storePath, 'run/1/sub/b.txt'), '')
    const from = await write(folder, rows, extra)
    const catalogue = await createDatabase(folder, 'new')
    const settingsFor = (url: string) =>
      loadSettings({ env: {}, overrides: { name: 'here', catalogue: url, data_directory: folder } })
    const settings = settingsFor(catalogue)
    return { folder, from, catalogue, settings, settingsFor, log: silentLog, dropsOpen: false }
  }

  test('keeps users, numbers, times and digests, tells trees from files, and calls nothing good', async () => {
    const options = await setUp()
    const report = await importCatalogue(options)
    expect(report.counts).toMatchObject({ files: 5, instances: 4, users: 3, librarians: 1, remote_instances: 4 })
    const homeless = report.problems.filter(problem => problem.includes('no store here has it'))
    expect(homeless.map(problem => problem.split(':')[0]).sort()).toEqual(['file away', 'file gone'])
    expect(report.problems.filter(problem => !homeless.includes(problem))).toEqual([
      'user odd was left out: there is no level EMPEROR',
      expect.stringContaining('librarian downstream: its credentials cannot be read'),
      expect.stringContaining('copy 14 of gone: nothing lies at'),
      '1 copies elsewhere were left out: their file or librarian is not there',
    ])

    await using catalogue = await openCatalogue({ url: options.catalogue.replace('sqlite:', ''), log: silentLog })
    expect(await catalogue.accounts.find({ username: 'ben' })).toMatchObject({ authToken: argon, level: 'READAPPEND' })
    expect(await catalogue.stores.list()).toMatchObject([
      {
        id: 7,
        name: 'main',
        enabled: true,
        transferManagers: { local: { hostnames: ['h'] } },
        uuid: expect.any(String),
      },
    ])
    expect(await catalogue.peers.list()).toMatchObject([
      { id: 3, name: 'downstream', url: 'http://localhost', port: 21109 },
    ])
    const { files, instances } = await catalogue.instances.all()
    expect(files.map(({ name, kind }) => [name, kind])).toEqual([
      ['away', 'file'],
      ['gone', 'file'],
      ['night/a.txt', 'file'],
      ['night/old.txt', 'file'],
      ['run/1', 'tree'],
    ])
    expect(files[2]).toMatchObject({
      create_time: '2026-01-02T12:00:00.123456Z',
      size: 3,
      uploader: 'ben',
      sha256: null,
    })
    expect(files[3]).toMatchObject({ checksum: '900150983cd24fb0d6963f7d28e17f72', source: 'upstream' })
    expect(instances.map(({ id, state, available }) => [id, state, available])).toEqual(
      [11, 12, 13, 14].map(id => [id, 'never-checked', 1]),
    )
    expect(instances[1]).toMatchObject({ deletion_policy: 'ALLOWED' })
    const elsewhere = await catalogue.instances.searchRemote({ file_name: 'night/a.txt' })
    expect(elsewhere).toMatchObject([
      { id: 21, librarian_name: 'downstream', copy_time: '2026-01-02T12:00:00.123456Z' },
    ])
    expect(await catalogue.instances.corrupt()).toMatchObject([{ instance_id: 14, replacement_requested: 0 }])
    expect(await catalogue.uploads.get({ id: 31 })).toMatchObject({ status: 'COMPLETED', store_path: 'night/a.txt' })
    // The next one is nobody's old number.
    const added = await catalogue.instances.add({ name: 'away', storeId: 7, path: '/x/away' })
    expect(added.id).toBeGreaterThan(14)
  })

  test('the stores know enough to make the catalogue again', async () => {
    const options = await setUp()
    await importCatalogue(options)
    const other = await createDatabase(options.folder, 'again')
    const overrides = {
      name: 'here',
      catalogue: other,
      data_directory: options.folder,
      add_stores: [storeOf(options.folder)],
    }
    const settings = loadSettings({ env: {}, overrides })
    const report = await rebuildCatalogue({ settings, log: silentLog, directories: 'none' })
    expect(report).toMatchObject({ attested: 3, unattested: 0, problems: [] })
  })

  test('A7: what is read first has its SHA-256 then, also in the store, and a rebuild knows the same', async () => {
    const options = await setUp()
    await importCatalogue(options)
    const background = { scrub: [{ task_name: 'all', every: 3600, store_name: 'main' }] }
    const scrubbed = async () => {
      const overrides = { name: 'here', catalogue: options.catalogue, data_directory: options.folder, background }
      const librarian = await openLibrarian({ settings: loadSettings({ env: {}, overrides }), log: silentLog })
      try {
        // One of its four copies is not there.
        expect(await librarian.runTasks(new AbortController().signal)).toMatchObject([{ counts: { read: 4, bad: 1 } }])
        const { files } = await librarian.catalogue.instances.all()
        return { files, manifest: await librarian.catalogue.instances.treeOf({ name: 'run/1' }) }
      } finally {
        await librarian.stop()
      }
    }
    const before = await scrubbed()
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    const ofTree = createHash('sha256').update(before.manifest!).digest('hex')
    expect(before.files.map(({ sha256 }) => sha256)).toEqual([null, null, abc, abc, ofTree])
    const store = join(options.folder, 'store')
    const { stdout } = await execFile('sha256sum', ['-c', '.arriero/SHA256SUMS'], { cwd: store })
    expect(stdout.trim().split('\n').sort()).toEqual(
      ['night/a.txt', 'night/old.txt', 'run/1/a.txt', 'run/1/sub/b.txt'].map(name => `${name}: OK`),
    )

    const other = await createDatabase(options.folder, 'again')
    const overrides = { name: 'here', catalogue: other, data_directory: options.folder }
    const settings = loadSettings({ env: {}, overrides: { ...overrides, add_stores: [storeOf(options.folder)] } })
    const report = await rebuildCatalogue({ settings, log: silentLog, directories: 'none' })
    expect(report).toMatchObject({ attested: 3, unattested: 0, problems: [] })
    await using again = await openCatalogue({ url: other.replace('sqlite:', ''), log: silentLog })
    const here = (files: typeof before.files) => files.filter(({ name }) => name !== 'away' && name !== 'gone')
    expect((await again.instances.all()).files).toEqual(here(before.files))
    expect(await again.instances.treeOf({ name: 'run/1' })).toBe(before.manifest)
  })

  test('what is under way there is refused, or given up when that is said', async () => {
    const cells = [
      43,
      'STAGED',
      'downstream',
      3,
      'xxh3:::06b05ab6733a618578af5f94892f3950',
      '2026-01-02 12:00:00',
      null,
    ]
    const extra = { outgoing_transfers: [[...cells, 'night/a.txt', 11, 6, null, null, null, '/x', '/y']] }
    const options = await setUp(extra)
    await expect(importCatalogue(options)).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('1 are'),
    })
    await importCatalogue({ ...options, dropsOpen: true })
  })

  test('another release, a used catalogue and the database itself are refused, and nothing is made', async () => {
    for (const version of [[], [['38a604ac628b']]]) {
      const older = await setUp({ alembic_version: version })
      const refused = expect.stringContaining('must be of release 5.0.1')
      await expect(importCatalogue(older)).rejects.toMatchObject({ code: 'Configuration', message: refused })
      expect(await readdir(join(older.folder, 'store'))).toEqual(['night', 'run'])
    }
    const options = await setUp()
    await importCatalogue(options)
    await expect(importCatalogue(options)).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('must be new'),
    })
    const itself = { ...options, from: options.catalogue, settings: options.settings }
    const address =
      options.settings.catalogue.engine === 'sqlite' ? `sqlite:${options.settings.catalogue.path}` : options.catalogue
    await expect(importCatalogue({ ...itself, from: address })).rejects.toMatchObject({ code: 'Configuration' })
    const missing = options.catalogue.startsWith('sqlite:')
      ? 'sqlite:/nowhere/x.db'
      : 'postgres://nobody:secret-word@127.0.0.1:1/x'
    const failure = await importCatalogue({ ...options, from: missing }).catch(error => error)
    expect(failure).toMatchObject({ code: 'Configuration' })
    expect(String(failure.message)).not.toContain('secret-word')
  })

  test('one that was killed is begun again with a new catalogue', async () => {
    const options = await setUp()
    const abort = new AbortController()
    const bad = { ...options, signal: abort.signal }
    abort.abort(new Error('enough'))
    await expect(importCatalogue(bad)).rejects.toThrow('enough')
    const other = await createDatabase(options.folder, 'second')
    const report = await importCatalogue({ ...options, settings: options.settingsFor(other) })
    expect(report.takenOver).toEqual(['main'])
    expect((await stat(join(options.folder, 'store/run/1'))).mode & 0o222).toBe(0)
    expect(report.counts).toMatchObject({ files: 5 })
    expect(await readdir(join(options.folder, 'store/night'))).toEqual(['a.txt', 'old.txt'])
  })
}

function storeOf(folder: string) {
  return {
    store_name: 'main',
    store_type: 'local',
    ingestable: true,
    store_data: { staging_path: join(folder, 'staging'), store_path: join(folder, 'store'), reserve: 0 },
    transfer_manager_data: {},
  }
}

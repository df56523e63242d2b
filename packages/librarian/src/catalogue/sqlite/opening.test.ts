import { chmod, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startSource } from '../../../test/source-process.ts'
import { type TrialCatalogue, trialOperations } from '../../../test/trial-operations.ts'
import { silentLog } from '../../log.ts'
import type { Migration } from '../migrate.ts'
import { migrations } from '../migrations/index.ts'
import { sqlitePathOf } from '../open.ts'
import { openSqliteCatalogue, type SqliteCatalogueOptions } from './catalogue.ts'
import { isTrustedVersion, openConnection } from './connection.ts'
import { prepareFile } from './file.ts'
import { startSqlite } from './start.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-opening-'))
  path = join(directory, 'catalogue.sqlite')
})
afterEach(() => rm(directory, { recursive: true }))

const openIt = async (options: Partial<SqliteCatalogueOptions> = {}) =>
  (await openSqliteCatalogue({ path, operations: trialOperations, ...options })) as TrialCatalogue

test('openSqliteCatalogue() makes its files for their owner alone', async () => {
  await using catalogue = await openIt()
  await catalogue.settings.setOnce({ key: 'a', value: 'b' })
  const names = await readdir(directory)
  expect(names).toContain('catalogue.sqlite-wal')
  for (const name of names) expect((await stat(join(directory, name))).mode & 0o777, name).toBe(0o600)
})

test('openSqliteCatalogue() refuses a file that others may read, and one on a network file system', async () => {
  await (await openIt()).close()
  await chmod(path, 0o644)
  await expect(openIt()).rejects.toThrow(/others must not read it, and its mode is 644/)
  await chmod(path, 0o600)
  await expect(openIt({ fileSystemType: () => 0xfe534d42 })).rejects.toThrow(/local file system, and this one is SMB2/)
  await expect(openIt({ fileSystemType: () => -28095166 })).rejects.toThrow(/local file system, and this one is SMB2/)
  await (await openIt({ fileSystemType: () => 0xef53 })).close()
})

test('openSqliteCatalogue() sets and reads back every pragma, for writing and for reading', async () => {
  await (await openIt()).close()
  for (const isReadOnly of [false, true]) {
    const connection = openConnection(path, { isReadOnly, busyTimeoutMs: 1234 })
    const found = Object.fromEntries(
      ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'trusted_schema', 'cell_size_check'].map(name => [
        name,
        connection.pragma(name, { simple: true }),
      ]),
    )
    expect(found).toEqual({
      journal_mode: 'wal',
      synchronous: 2,
      foreign_keys: 1,
      busy_timeout: 1234,
      trusted_schema: 0,
      cell_size_check: 1,
    })
    connection.close()
  }
})

test('isTrustedVersion() refuses what can lose writes', () => {
  const trusted = ['3.51.3', '3.51.10', '3.52.1', '3.53.0', '3.54.1', '4.0.0']
  const untrusted = ['3.51.2', '3.50.9', '3.52.0', '2.99.99']
  expect(trusted.filter(isTrustedVersion)).toEqual(trusted)
  expect(untrusted.filter(isTrustedVersion)).toEqual([])
})

test('a second one on the same file is told who has it, here and in another process', async () => {
  const writer = startSource('catalogue-writer', [path, 'a'])
  await writer.printed(5)
  await expect(openIt()).rejects.toThrow(new RegExp(`process ${writer.child.pid} on .* has it open`))
  writer.child.kill('SIGKILL')
  await writer.exited
  await using catalogue = await openIt()
  await expect(openIt()).rejects.toThrow(new RegExp(`process ${process.pid} on .* has it open`))
  expect(await catalogue.files.count({})).toBeGreaterThan(0)
})

test('openSqliteCatalogue() refuses the schema of a newer program', async () => {
  const catalogue = await openIt()
  await catalogue.trial.write(`INSERT INTO migration (name, time) VALUES ('9999-later', 'then')`)
  await catalogue.close()
  await expect(openIt()).rejects.toMatchObject({
    code: 'Configuration',
    message: expect.stringContaining('9999-later'),
  })
})

test('openSqliteCatalogue() refuses a damaged file', async () => {
  const catalogue = await openIt()
  for (let n = 0; n < 50; n++) await catalogue.settings.setOnce({ key: `k${n}`, value: 'v'.repeat(500) })
  await catalogue.close()
  const { size } = await stat(path)
  const file = await open(path, 'r+')
  await file.write(Buffer.alloc(4096, 0xff), 0, 4096, size - 3 * 4096)
  await file.close()
  await expect(openIt()).rejects.toMatchObject({ code: 'Configuration', message: expect.stringContaining('damaged') })
})

test('a schema change comes after a backup of what was there, and happens wholly or not at all', async () => {
  prepareFile(path)
  const connection = openConnection(path)
  const start = (steps: readonly Migration[]) =>
    startSqlite({ path, connection, log: silentLog, migrations: [...migrations, ...steps] })
  await start([])
  connection.exec(`INSERT INTO setting (key, value) VALUES ('a', 'b')`)

  const broken: Migration = {
    name: '0002-broken',
    async up({ schema }) {
      await schema.createTable('half').addColumn('a', 'text').execute()
      throw new Error('a migration broke')
    },
  }
  await expect(start([broken])).rejects.toThrow('a migration broke')
  expect(tablesOf(connection)).not.toContain('half')

  const whole: Migration = {
    name: '0002-whole',
    up: async ({ schema }) => await schema.createTable('whole').addColumn('a', 'text').execute(),
  }
  await start([whole])
  await start([whole])
  expect(tablesOf(connection)).toContain('whole')
  connection.close()

  const backup = `${path}.before-0002-whole`
  expect((await stat(backup)).mode & 0o777).toBe(0o600)
  const copy = new BetterSqlite3(backup, { readonly: true })
  expect(tablesOf(copy)).not.toContain('whole')
  expect(copy.prepare('SELECT value FROM setting').pluck().get()).toBe('b')
  copy.close()
})

test('sqlitePathOf() takes paths and sqlite: URLs, and tells nothing of another URL but its scheme', () => {
  expect(['/a/b', 'sqlite:/a/b', 'sqlite:///a/b', 'sqlite:a/b%20c', 'a/b'].map(sqlitePathOf)).toEqual([
    '/a/b',
    '/a/b',
    '/a/b',
    'a/b c',
    'a/b',
  ])
  for (const url of ['mysql://user:secret@host/db', 'sqlite:', 'sqlite::memory:', 'sqlite://host/a']) {
    expect(() => sqlitePathOf(url)).toThrow(/its URL must be/)
    expect(() => sqlitePathOf(url)).not.toThrow(/secret/)
  }
})

function tablesOf(connection: BetterSqlite3.Database): unknown[] {
  return connection.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all()
}

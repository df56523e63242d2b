/** What a SQLite catalogue does when its process, a thread, its disk or another process fails it. */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertFile, insertInstance } from '../../../test/catalogue-rows.ts'
import { startSource } from '../../../test/source-process.ts'
import { type TrialCatalogue, trialOperations } from '../../../test/trial-operations.ts'
import type { Log } from '../../log.ts'
import { openSqliteCatalogue, type SqliteCatalogueOptions } from './catalogue.ts'
import { isCondemning } from './failures.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-faults-'))
  path = join(directory, 'catalogue.sqlite')
})
afterEach(() => rm(directory, { recursive: true }))

const openIt = async (options: Partial<SqliteCatalogueOptions> = {}) =>
  (await openSqliteCatalogue({ path, operations: trialOperations, ...options })) as TrialCatalogue

test('a process that is killed loses nothing that it acknowledged, and the next one checks all of it', async () => {
  const acknowledged: string[] = []
  for (let round = 0; round < 3; round++) {
    const writer = startSource('catalogue-writer', [path, `round-${round}`])
    await writer.printed(20 + 80 * round)
    writer.child.kill('SIGKILL')
    await writer.exited
    acknowledged.push(...writer.lines.slice(1))
  }
  const lines: string[] = []
  const note = (_: object, message: string) => void lines.push(message)
  const log: Log = { debug: note, info: note, warn: note, error: note }
  await using catalogue = await openIt({ log })
  const rows = await catalogue.trial.read('SELECT name FROM file')
  const kept = new Set(rows.map(({ name }) => name))
  expect(acknowledged.filter(name => !kept.has(name))).toEqual([])
  expect(acknowledged.length).toBeGreaterThan(200)
  await expect.poll(() => lines).toContain('catalogue is sound')
  expect(lines[0]).toContain('was not closed last time')
  expect(await catalogue.check()).toEqual([])
}, 120_000)

test('a catalogue that was closed has no log left, and is not checked again', async () => {
  await (await openIt()).close()
  expect(await readdir(directory)).not.toContain('catalogue.sqlite-wal')
  const lines: string[] = []
  const note = (_: object, message: string) => void lines.push(message)
  await (await openIt({ log: { debug: note, info: note, warn: note, error: note } })).close()
  expect(lines).toEqual([])
})

test('while another process holds the lock, writes wait and then are refused as busy; reads and the event loop go on', async () => {
  await using catalogue = await openIt({ busyTimeoutMs: 1000 })
  await catalogue.settings.setOnce({ key: 'a', value: 'b' })
  const holder = startSource('lock-holder', [path])
  await holder.printed(1)

  let turns = 0
  const timer = setInterval(() => turns++, 20)
  const startedAt = performance.now()
  const refused = await Promise.allSettled(
    Array.from({ length: 5 }, (_, n) => catalogue.settings.setOnce({ key: `k${n}`, value: 'x' })),
  )
  expect(performance.now() - startedAt).toBeGreaterThan(900)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(15)
  for (const result of refused) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'Busy', retryAfterSeconds: 1 } })
  }
  expect(await catalogue.settings.get({ key: 'a' })).toBe('b')

  const patient = catalogue.settings.setOnce({ key: 'patient', value: 'x' })
  holder.child.stdin.end()
  expect(await patient).toBe('x')
  await holder.exited
  expect(await catalogue.settings.get({ key: 'k0' })).toBeUndefined()
})

test('a writer that dies fails what was under way as unknown, and nothing is done any more', async () => {
  const catalogue = await openIt()
  const results = await Promise.allSettled([
    catalogue.settings.setOnce({ key: 'a', value: 'b' }),
    catalogue.trial.exit(),
    catalogue.settings.setOnce({ key: 'c', value: 'd' }),
  ])
  const lost = results.filter(result => result.status === 'rejected')
  expect(lost.length).toBeGreaterThanOrEqual(2)
  for (const { reason } of lost) expect(reason).toMatchObject({ code: 'OutcomeUnknown' })
  expect(catalogue.failure).toMatchObject({ code: 'OutcomeUnknown', message: expect.stringContaining('exit code 3') })
  await expect(catalogue.settings.get({ key: 'a' })).rejects.toBe(catalogue.failure)
  await expect(catalogue.settings.setOnce({ key: 'a', value: 'b' })).rejects.toBe(catalogue.failure)
  await catalogue.close()
  await using again = await openIt()
  expect(again.failure).toBeUndefined()
  expect(await again.check()).toEqual([])
})

test('a file that was moved away is not written to any more: what nobody finds was not kept', async () => {
  const catalogue = await openIt()
  await catalogue.settings.setOnce({ key: 'a', value: 'b' })
  await rename(path, `${path}.moved`)
  await expect(catalogue.settings.setOnce({ key: 'c', value: 'd' })).rejects.toMatchObject({ code: 'OutcomeUnknown' })
  await expect(catalogue.settings.get({ key: 'a' })).rejects.toThrow(/moved or removed/)
  await catalogue.close()
})

test('check() finds damage, and a damaged catalogue is used no more', async () => {
  const catalogue = await openIt()
  await catalogue.trial.write(insertFile('a'))
  // A copy of no file, which only somebody outside can make.
  const outside = new BetterSqlite3(path)
  outside.pragma('foreign_keys = OFF')
  outside.exec(insertInstance('nowhere', 1))
  outside.close()
  expect((await catalogue.check()).length).toBeGreaterThan(0)
  expect(catalogue.failure?.message).toMatch(/damaged/)
  await expect(catalogue.files.count({})).rejects.toThrow(/damaged/)
  await catalogue.close()
})

test('a full disk refuses what does not fit, keeps what was there, and goes on when there is room', async () => {
  const mount = join(directory, 'small')
  await mkdir(mount)
  const small = [
    'unshare',
    '--user',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    `mount -t tmpfs -o size=3m tmpfs ${mount} && exec "$@"`,
    'sh',
  ]
  if (spawnSync(small[0]!, [...small.slice(1), 'true']).status !== 0) {
    console.log('NOT RUN full disk: no mount namespace here')
    return
  }
  const program = startSource('catalogue-full-disk', [mount], small)
  expect(await program.exited).toBe(0)
  expect(program.lines).toEqual(['written', 'NoSpace', 'written', 'after+before', '0'])
})

test('isCondemning() tells what nothing may follow from what one operation met', () => {
  const met = (code: string) => Object.assign(new Error(code), { code })
  expect(
    ['SQLITE_IOERR_FSYNC', 'SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_READONLY_DBMOVED'].map(met).every(isCondemning),
  ).toBe(true)
  expect(
    ['SQLITE_FULL', 'SQLITE_BUSY', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_READONLY', 'SQLITE_ERROR']
      .map(met)
      .some(isCondemning),
  ).toBe(false)
})

test('backup() makes a whole copy for its owner alone while writes go on, and replaces the one before', async () => {
  await using catalogue = await openIt()
  for (let n = 0; n < 20; n++) await catalogue.trial.write(insertFile(`f${n}`, n + 1))
  const target = join(directory, 'backup.sqlite')
  await writeFile(target, 'the one before')
  const backup = Promise.all([catalogue.backup(target), catalogue.backup(target)])
  for (let n = 20; n < 60; n++) await catalogue.trial.write(insertFile(`f${n}`, n + 1))
  await backup
  expect((await stat(target)).mode & 0o777).toBe(0o600)
  expect((await readdir(directory)).filter(name => name.endsWith('.tmp'))).toEqual([])
  const copy = new BetterSqlite3(target, { readonly: true })
  expect(copy.prepare('SELECT count(*) FROM file').pluck().get()).toBeGreaterThanOrEqual(20)
  copy.close()
  await rename(target, join(directory, 'restored.sqlite'))
  await using restored = await openIt({ path: join(directory, 'restored.sqlite') })
  expect(await restored.files.find({ name: 'f7' })).toMatchObject({ size: 8 })
})

test('backup() to where nothing can be written fails, and leaves the one before', async () => {
  await using catalogue = await openIt()
  await expect(catalogue.backup(join(directory, 'nowhere', 'b.sqlite'))).rejects.toMatchObject({ code: 'Internal' })
  await mkdir(join(directory, 'taken'))
  await writeFile(join(directory, 'taken', 'keep'), 'x')
  await expect(catalogue.backup(join(directory, 'taken'))).rejects.toThrow()
  expect(await readdir(join(directory, 'taken'))).toEqual(['keep'])
  expect(catalogue.failure).toBeUndefined()
  await catalogue.settings.setOnce({ key: 'a', value: 'b' })
})

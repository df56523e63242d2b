/** Backups of a catalogue in a file: made, kept, tried, and put back (reliability G3, 8.17). */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { backUp } from '../src/catalogue/sqlite/backup.ts'
import { openSqliteCatalogue } from '../src/catalogue/sqlite/catalogue.ts'
import { openConnection } from '../src/catalogue/sqlite/connection.ts'
import { restoreFile } from '../src/catalogue/sqlite/restore.ts'
import type { BackupSettings } from '../src/config.ts'
import { silentLog } from '../src/log.ts'
import type { Alarm } from '../src/services/alarms.ts'
import { formatBackupName, parseBackupName } from '../src/services/backups/backup-name.ts'
import { type Backups, createBackups } from '../src/services/backups/backups.ts'

const hour = 3_600_000

let folder: string
let path: string
let catalogue: Catalogue
let alarms: Alarm[]
/** ms since 1970, moved by the tests. */
let now: number
let monotonic: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-backups-'))
  path = join(folder, 'catalogue.db')
  catalogue = await openSqliteCatalogue({ path })
  alarms = []
  now = Date.UTC(2026, 10, 21, 12)
  monotonic = 0
})
afterEach(async () => {
  await catalogue.close()
  await rm(folder, { recursive: true })
})

const directory = () => join(folder, 'backups')

function backupsOf(settings: Partial<BackupSettings> = {}, of: Partial<Catalogue> = {}): Backups {
  return createBackups({
    settings: {
      directory: directory(),
      isChosen: false,
      everyMs: hour,
      keep: 3,
      restoreEveryMs: 24 * hour,
      checkEveryMs: 7 * 24 * hour,
      ...settings,
    },
    path,
    catalogue: { ...catalogue, ...of },
    openCopy: copy => openSqliteCatalogue({ path: copy, readers: 0 }),
    alarms: { raise: async alarm => void alarms.push(alarm) },
    clock: { now: () => monotonic, wallNow: () => now, sleep: () => new Promise(() => {}) },
    log: silentLog,
  })
}

function pass(ms: number): void {
  now += ms
  monotonic += ms
}

const names = async () => (await readdir(directory())).filter(name => name.endsWith('.db')).sort()

test('a name of a backup is read as it was written, and no other name is one', () => {
  const name = formatBackupName({ id: '0123abcd', time: Date.UTC(2026, 0, 2, 3, 4, 5, 678) })
  expect(name).toBe('catalogue-0123abcd-20260102T030405Z.db')
  expect(parseBackupName(name)).toEqual({ id: '0123abcd', time: Date.UTC(2026, 0, 2, 3, 4, 5) })
  for (const other of [`${name}.123.tmp`, `${name}.sha256`, 'catalogue.db', `x${name}`]) {
    expect(parseBackupName(other)).toBeUndefined()
  }
})

describe('look()', () => {
  test('makes a backup at once, then one an hour, for its owner alone, and keeps so many', async () => {
    const backups = backupsOf()
    for (let at = 0; at < 5; at++) {
      await backups.look()
      await backups.look()
      pass(hour)
    }
    expect(alarms).toEqual([])
    const kept = await names()
    // The first was restored and found good, and is the newest of those.
    expect(kept.map(name => name.slice(-'T120000Z.db'.length, -'00Z.db'.length))).toEqual([
      'T1200',
      'T1400',
      'T1500',
      'T1600',
    ])
    for (const name of await readdir(directory())) {
      expect((await stat(join(directory(), name))).mode & 0o777, name).toBe(0o600)
    }
    expect((await stat(directory())).mode & 0o777).toBe(0o700)
    expect(backups.state()).toMatchObject({ newest: { name: kept.at(-1) }, restored: { problems: [] }, concerns: [] })
  })

  test('writes a digest that sha256sum understands', async () => {
    await backupsOf().look()
    const [name = ''] = await names()
    expect(await readFile(join(directory(), `${name}.sha256`), 'utf8')).toMatch(new RegExp(`^[0-9a-f]{64}  ${name}\n$`))
  })

  test('restores the newest once a day, and says what is wrong with it', async () => {
    await backupsOf().look()
    await flipByte(join(directory(), (await names())[0]!))
    pass(23 * hour)
    await backupsOf({ everyMs: undefined }).look()
    expect(alarms).toEqual([])
    await forgetChecks()
    const backups = backupsOf({ everyMs: undefined })
    await backups.look()
    expect(alarms).toMatchObject([
      { severity: 'error', message: expect.stringMatching(/is not good: its SHA-256 must be/) },
    ])
    expect(backups.state()?.concerns).toContain('the last backup that was checked is not good')
  })

  test('tells of a backup that is another catalogue’s, or has more files than there are', async () => {
    await backupsOf().look()
    const other = await openSqliteCatalogue({ path: join(folder, 'other.db') })
    const id = (await names())[0]!.slice('catalogue-'.length, 'catalogue-'.length + 8)
    await other.settings.setOnce({ key: 'uuid', value: `${id}${'0'.repeat(24)}` })
    pass(24 * hour)
    await other.backup(join(directory(), formatBackupName({ id, time: now })))
    await other.close()
    await backupsOf().look()
    expect(alarms).toMatchObject([{ message: expect.stringMatching(/is not good: it is of another catalogue/) }])
  })

  test('a directory that was named must be there: a disk that is not mounted is an alarm, not a new directory', async () => {
    const place = join(folder, 'mnt')
    const backups = backupsOf({ directory: place, isChosen: true })
    await backups.look()
    expect(alarms.map(({ message }) => message)).toContain(
      `Cannot back up the catalogue: there is no directory ${place}`,
    )
    await expect(stat(place)).rejects.toThrow(/ENOENT/)
    expect(backups.state()?.concerns).toContain('there is no backup of the catalogue')
    await mkdir(place)
    await backups.look()
    expect(await readdir(place)).toEqual([])
    pass(hour)
    await backups.look()
    expect(await readdir(place)).not.toEqual([])
  })

  test('a backup that fails leaves those of before, nothing half, and is tried again', async () => {
    await backupsOf().look()
    const before = await names()
    pass(hour)
    const failing = backupsOf({}, { backup: async () => Promise.reject(new Error('database or disk is full')) })
    await failing.look()
    expect(alarms).toMatchObject([{ message: expect.stringContaining('disk is full') }])
    expect(await names()).toEqual(before)
    await writeFile(join(directory(), `${before[0]}.4711.tmp`), 'torn')
    await writeFile(join(directory(), `${before[0]!.replace('T12', 'T11')}.sha256`), 'torn')
    await backupsOf().look()
    expect(await names()).toHaveLength(2)
    expect((await readdir(directory())).filter(name => name.includes('4711') || name.includes('T11'))).toEqual([])
  })

  test('what is dated in the future counts for nothing', async () => {
    const backups = backupsOf()
    await backups.look()
    now -= 365 * 24 * hour
    monotonic += 1000
    await backups.look()
    expect(alarms).toEqual([])
    expect(await names()).toHaveLength(2)
    expect(backups.state()?.concerns).toContain('the newest backup of the catalogue is too old')
  })

  test('backups of another catalogue in the same directory are neither counted nor removed', async () => {
    await mkdir(directory())
    const foreign = Array.from({ length: 5 }, (_, at) => formatBackupName({ id: 'ffffffff', time: now + at * hour }))
    for (const name of foreign) await writeFile(join(directory(), name), 'theirs')
    const backups = backupsOf()
    for (let at = 0; at < 5; at++) {
      await backups.look()
      pass(hour)
    }
    expect(await names()).toEqual(expect.arrayContaining(foreign))
    expect(backups.state()?.count).toBe(4)
  })

  test('reads the catalogue in full once a week, and says what is wrong', async () => {
    let checks = 0
    const problems: string[] = []
    const backups = backupsOf(
      {},
      {
        async check() {
          checks++
          return problems
        },
      },
    )
    await backups.look()
    pass(6 * 24 * hour)
    await backups.look()
    expect(checks).toBe(1)
    problems.push('row 3 missing from index')
    pass(24 * hour)
    await backups.look()
    expect(checks).toBe(2)
    expect(alarms).toMatchObject([{ message: expect.stringContaining('row 3 missing from index') }])
    expect(backups.state()?.concerns).toContain('the catalogue is damaged')
  })
})

test('work() ends when it is told to, though a backup takes long', async () => {
  const controller = new AbortController()
  const begun = Promise.withResolvers<void>()
  const backups = backupsOf(
    {},
    {
      backup() {
        begun.resolve()
        return new Promise(() => {})
      },
    },
  )
  const working = backups.work(controller.signal)
  await begun.promise
  controller.abort()
  await working
  expect(alarms).toEqual([])
})

test('a backup is sound although the writer made statistics after it was begun', async () => {
  const connection = openConnection(path, { isReadOnly: true })
  const target = join(folder, 'backup.db')
  const writer = new BetterSqlite3(path)
  writer.exec(`INSERT INTO setting (key, value) VALUES ('x', 'y')`)
  const prepare = connection.prepare.bind(connection)
  // Between the copy and its check.
  connection.prepare = ((sql: string) => {
    if (sql.includes('sqlite_schema')) writer.exec('ANALYZE')
    return prepare(sql)
  }) as typeof connection.prepare
  backUp(connection, target)
  writer.close()
  connection.close()
  expect((await stat(target)).size).toBeGreaterThan(0)
})

describe('restoreFile()', () => {
  const stamp = '20261121T120000Z'

  async function backedUp(): Promise<string> {
    await catalogue.settings.setOnce({ key: 'a', value: 'before' })
    const backup = join(folder, 'backup.db')
    await catalogue.backup(backup)
    await catalogue.settings.setOnce({ key: 'b', value: 'after' })
    await catalogue.close()
    return backup
  }

  test('puts the backup in place and keeps what was there, with its log', async () => {
    const backup = await backedUp()
    const before = await readFile(path)
    await writeFile(`${path}-wal`, 'what the last process had not moved')
    await chmod(backup, 0o644)
    const aside = restoreFile({ backup, path, stamp })!
    expect(aside).toBe(`${path}.replaced-${stamp}`)
    expect((await readFile(aside)).equals(before)).toBe(true)
    expect(await readFile(`${aside}-wal`, 'utf8')).toBe('what the last process had not moved')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    catalogue = await openSqliteCatalogue({ path })
    expect(await catalogue.settings.get({ key: 'a' })).toBe('before')
    expect(await catalogue.settings.get({ key: 'b' })).toBeUndefined()
  })

  test('works where the catalogue is gone', async () => {
    const backup = await backedUp()
    await rm(path)
    expect(restoreFile({ backup, path, stamp })).toBeUndefined()
    catalogue = await openSqliteCatalogue({ path })
    expect(await catalogue.settings.get({ key: 'a' })).toBe('before')
  })

  test('refuses what is damaged, no catalogue, missing or the catalogue itself, and changes nothing', async () => {
    const backup = await backedUp()
    const before = await readFile(path)
    const text = join(folder, 'text.db')
    await writeFile(text, 'no database at all')
    const damaged = join(folder, 'damaged.db')
    const bytes = await readFile(backup)
    await writeFile(damaged, bytes.fill(0xff, 3 * 4096, 6 * 4096))
    const refused = (file: string) => expect(() => restoreFile({ backup: file, path, stamp }))
    refused(text).toThrow(/it is no catalogue/)
    refused(damaged).toThrow(/damaged|no catalogue/)
    refused(join(folder, 'none')).toThrow(/there is no such file/)
    refused(path).toThrow(/it is the catalogue itself/)
    expect((await readFile(path)).equals(before)).toBe(true)
    expect((await readdir(folder)).filter(name => /restoring|replaced/.test(name))).toEqual([])
    catalogue = await openSqliteCatalogue({ path })
  })

  test('refuses while a server has the catalogue', async () => {
    const backup = join(folder, 'backup.db')
    await catalogue.backup(backup)
    expect(() => restoreFile({ backup, path, stamp })).toThrow(/has it open/)
  })

  test('one that did not end keeps everybody out until it is run again', async () => {
    const backup = await backedUp()
    await writeFile(`${path}.restoring`, 'half')
    await expect(openSqliteCatalogue({ path })).rejects.toThrow(/a restore of it did not end/)
    restoreFile({ backup, path, stamp })
    catalogue = await openSqliteCatalogue({ path })
    expect(await catalogue.settings.get({ key: 'a' })).toBe('before')
  })
})

async function forgetChecks(): Promise<void> {
  const checks = (await readdir(directory())).find(name => name.startsWith('checks-'))!
  await rm(join(directory(), checks))
}

async function flipByte(file: string): Promise<void> {
  const { atime, mtime } = await stat(file)
  const handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  const { size } = await handle.stat()
  const position = size - 1 - (randomBytes(1)[0]! % 100)
  await handle.read(byte, 0, 1, position)
  byte[0]! ^= 0x10
  await handle.write(byte, 0, 1, position)
  await handle.close()
  await utimes(file, atime, mtime)
}

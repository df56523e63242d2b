/** What a PostgreSQL catalogue does when the server, the connection or others at the same rows fail it. */
import { setImmediate } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { onPostgres } from '../../../test/both-databases.ts'
import { type Cut, startCommitProxy } from '../../../test/commit-proxy.ts'
import type { TestPostgres } from '../../../test/postgres.ts'
import { operations, type TrialCatalogue } from '../../../test/trial-operations.ts'
import type { Migration } from '../migrate.ts'
import { migrations } from '../migrations/index.ts'
import { openPostgresCatalogue, type PostgresCatalogueOptions } from './catalogue.ts'
import { Turns } from './turns.ts'

const openIt = async (url: string, options: Partial<PostgresCatalogueOptions> = {}) =>
  (await openPostgresCatalogue({ url, registry: operations, ...options })) as TrialCatalogue

await onPostgres(server => {
  describe('openPostgresCatalogue()', () => claims(server))
})

function claims(server: TestPostgres): void {
  async function sqlOn<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
    const client = new pg.Client(url)
    await client.connect()
    try {
      return (await client.query<T>(text)).rows
    } finally {
      await client.end()
    }
  }
  const counted = async (url: string, key: string) =>
    Number((await sqlOn<{ value: string }>(url, `SELECT value FROM setting WHERE key = '${key}'`))[0]?.value ?? 0)

  for (const cut of ['reply', 'both', 'request'] satisfies Cut[]) {
    test(`a connection that is cut at COMMIT (${cut}) neither loses nor repeats a change, and the answer is right`, async () => {
      const url = await server.createDatabase()
      const proxy = await startCommitProxy(server.port)
      await using catalogue = await openIt(url.replace(`:${server.port}/`, `:${proxy.port}/`))
      proxy.choose = nth => (nth % 3 === 0 ? cut : undefined)
      const numbers: number[] = []
      for (let n = 0; n < 15; n++) numbers.push(await catalogue.trial.countUp('n'))
      numbers.push(...(await Promise.all(Array.from({ length: 15 }, () => catalogue.trial.countUp('n')))))
      expect(proxy.cuts).toBeGreaterThan(8)
      expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
      expect(await counted(url, 'n')).toBe(30)
      await proxy.close()
    })
  }

  test('an outcome that cannot be asked for is told as unknown, and never as done', async () => {
    const url = await server.createDatabase()
    const proxy = await startCommitProxy(server.port)
    const catalogue = await openIt(url.replace(`:${server.port}/`, `:${proxy.port}/`), { timeouts: { awayMs: 300 } })
    proxy.choose = () => 'reply'
    await expect(catalogue.trial.countUp('n')).rejects.toMatchObject({ code: 'OutcomeUnknown' })
    // It did happen: the claim is only that nobody was told so.
    expect(await counted(url, 'n')).toBe(1)
    proxy.choose = () => undefined
    expect(await catalogue.trial.countUp('n')).toBe(2)
    await catalogue.close()
    await proxy.close()
  })

  test('what others beat is run again from the start, and counts once', async () => {
    const url = await server.createDatabase()
    await using catalogue = await openIt(url)
    await catalogue.settings.setOnce({ key: 'a', value: '1' })
    const other = new pg.Client(url)
    await other.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE setting SET value = '2' WHERE key = 'a'`)
    const before = await catalogue.trial.countRuns('none')
    const beaten = catalogue.trial.countRuns('a')
    const waiting = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
    await expect.poll(() => sqlOn(url, waiting)).toHaveLength(1)
    await other.query('COMMIT')
    expect((await beaten) - before).toBe(2)
    expect(await catalogue.settings.get({ key: 'a' })).toBe('x')
    await other.end()
  })

  test('what others beat every time is tried ten times, then refused as busy', async () => {
    const url = await server.createDatabase()
    await using catalogue = await openIt(url)
    await sqlOn(url, 'CREATE SEQUENCE tries')
    const beaten = `DO $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'beaten' USING ERRCODE = '40001'; END $$`
    await expect(catalogue.trial.write(beaten)).rejects.toMatchObject({ code: 'Busy', retryAfterSeconds: 1 })
    expect(await sqlOn(url, 'SELECT last_value::int AS tries FROM tries')).toEqual([{ tries: 10 }])
  })

  test('a row that somebody else keeps locked is waited for, then refused as busy', async () => {
    const url = await server.createDatabase()
    await using catalogue = await openIt(url, { timeouts: { lockMs: 200 } })
    await catalogue.settings.setOnce({ key: 'a', value: '1' })
    const other = new pg.Client(url)
    await other.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE setting SET value = '2' WHERE key = 'a'`)
    await expect(catalogue.trial.countUp('a')).rejects.toMatchObject({ code: 'Busy' })
    await other.end()
    expect(await catalogue.trial.countUp('a')).toBe(2)
  })

  test('what a statement has broken is not committed, even if an operation hides it', async () => {
    const url = await server.createDatabase()
    await using catalogue = await openIt(url)
    await expect(catalogue.trial.hide(`INSERT INTO setting (key, value) VALUES ('a', 'b')`)).rejects.toMatchObject({
      code: 'Internal',
      message: expect.stringContaining('took the change back'),
    })
    expect(await catalogue.settings.get({ key: 'a' })).toBeUndefined()
  })

  test('a server that is restarted, or killed, in the middle of work is waited for; nothing is lost or done twice', async () => {
    const url = await server.createDatabase()
    await using catalogue = await openIt(url)
    const numbers: number[] = []
    let isOver = false
    let begun = 0
    const work = async () => {
      while (!isOver) {
        begun++
        numbers.push(await catalogue.trial.countUp('n'))
      }
    }
    const workers = [work(), work(), work()]
    for (const stop of [() => server.stop(), () => server.kill()]) {
      const before = numbers.length
      await expect.poll(() => numbers.length).toBeGreaterThan(before + 5)
      await stop()
      // Each of the three is at something that has no answer.
      await expect.poll(() => begun - numbers.length).toBe(3)
      await server.start()
      const count = numbers.length
      await expect.poll(() => numbers.length, { timeout: 20_000 }).toBeGreaterThan(count + 5)
    }
    isOver = true
    await Promise.all(workers)
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, n) => n + 1))
    expect(await counted(url, 'n')).toBe(numbers.length)
  }, 60_000)

  test('a server that hangs is given up; nothing is acknowledged that did not happen, and work goes on when it wakes', async () => {
    const url = await server.createDatabase()
    const timeouts = { statementMs: 300, silenceMs: 200, connectMs: 500, awayMs: 800 }
    await using catalogue = await openIt(url, { timeouts })
    let acknowledged = 0
    for (; acknowledged < 5; acknowledged++) await catalogue.trial.countUp('n')
    await server.signal('SIGSTOP')
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => catalogue.trial.countUp('n')))
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: expect.stringMatching(/^(Busy|OutcomeUnknown)$/) },
      })
    }
    await server.signal('SIGCONT')
    const unknown = results.filter(result => result.status === 'rejected' && result.reason.code === 'OutcomeUnknown')
    const next = await catalogue.trial.countUp('n')
    expect(next).toBeGreaterThan(acknowledged)
    expect(next).toBeLessThanOrEqual(acknowledged + unknown.length + 1)
  }, 60_000)

  test('a server that may lose commits, and a newer schema, are refused', async () => {
    const url = await server.createDatabase()
    const database = new URL(url).pathname.slice(1)
    await sqlOn(url, `ALTER DATABASE ${database} SET synchronous_commit = off`)
    await expect(openIt(url)).rejects.toThrow(/synchronous_commit must be on, and is off/)
    await sqlOn(url, `ALTER DATABASE ${database} RESET synchronous_commit`)
    const catalogue = await openIt(url)
    expect(await catalogue.check()).toEqual([])
    await sqlOn(url, 'ALTER SYSTEM SET fsync = off')
    await sqlOn(url, 'SELECT pg_reload_conf()')
    await expect.poll(() => catalogue.check()).toEqual(['fsync must be on, and is off'])
    await expect(openIt(url)).rejects.toMatchObject({ code: 'Configuration' })
    await sqlOn(url, 'ALTER SYSTEM RESET fsync')
    await sqlOn(url, 'SELECT pg_reload_conf()')
    await expect.poll(() => catalogue.check()).toEqual([])
    await catalogue.trial.write(`INSERT INTO migration (name, time) VALUES ('9999-later', 'then')`)
    await catalogue.close()
    await expect(openIt(url)).rejects.toThrow(/9999-later/)
  })

  test('of processes that start at once one changes the schema, wholly or not at all', async () => {
    const url = await server.createDatabase()
    const opened = await Promise.all(Array.from({ length: 5 }, () => openIt(url, { connections: 2 })))
    await Promise.all(opened.map(catalogue => catalogue.close()))
    const broken: Migration = {
      name: '0002-broken',
      async up({ schema }) {
        await schema.createTable('half').addColumn('a', 'text').execute()
        throw new Error('a migration broke')
      },
    }
    const changed = { migrations: [...migrations, broken] }
    await expect(openIt(url, changed)).rejects.toMatchObject({
      code: 'Configuration',
      message: expect.stringMatching(/\(0002-broken\), and there must be a backup before/),
    })
    await expect(openIt(url, { ...changed, isBackedUp: true })).rejects.toThrow('a migration broke')
    expect(await sqlOn(url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }])
    expect(await sqlOn(url, 'SELECT name FROM migration')).toEqual([{ name: '0001-first' }])
  })

  test('an address where no server is, and a wrong password, are told without the password', async () => {
    const url = await server.createDatabase()
    await expect(openIt('postgres://u:secret@127.0.0.1:1/x')).rejects.toMatchObject({
      code: 'Configuration',
      message: expect.not.stringContaining('secret'),
    })
    await expect(openIt(url.replace(':arriero@', ':secret@'))).rejects.toMatchObject({
      code: 'Configuration',
      message: expect.not.stringContaining('secret'),
    })
  })
}

test('Turns: one that runs alone waits for those that run, and those behind it wait for it', async () => {
  const turns = new Turns()
  const log: string[] = []
  const enter = async (name: string, isAlone: boolean) => {
    const leave = await turns.enter(isAlone)
    log.push(name)
    return leave
  }
  const [a, b] = await Promise.all([enter('a', false), enter('b', false)])
  const alone = enter('alone', true)
  const c = enter('c', false)
  a()
  a()
  await setImmediate()
  expect(log).toEqual(['a', 'b'])
  b()
  const leave = await alone
  await setImmediate()
  expect(log).toEqual(['a', 'b', 'alone'])
  leave()
  await c
  expect(log).toEqual(['a', 'b', 'alone', 'c'])
})

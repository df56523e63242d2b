import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { type Operation, write } from '../operation.ts'
import { GroupCommit } from './group-commit.ts'

const insert = (n: number): Operation<never, unknown> =>
  write(async ({ sql: db }) => {
    await sql.raw(`INSERT INTO t VALUES (${n})`).execute(db)
    if (n < 0) throw new Error(`not ${n}`)
    return n
  })

function open() {
  const connection = new BetterSqlite3(':memory:')
  connection.exec('CREATE TABLE t (n INTEGER)')
  const rows = () => connection.prepare('SELECT n FROM t ORDER BY rowid').pluck().all()
  const commits: number[] = []
  const exec = connection.exec.bind(connection)
  connection.exec = text => {
    if (text === 'COMMIT') commits.push(rows().length)
    return exec(text)
  }
  return { connection, rows, commits }
}

const queueOf = (...numbers: number[]) => numbers.map(n => ({ operation: insert(n), args: undefined }))

test('GroupCommit shares one commit among all that wait, and isolates the one that throws', async () => {
  const { connection, rows, commits } = open()
  const queue = queueOf(1, 2, -3, 4)
  const done = await new GroupCommit(connection).run(() => queue.shift())
  expect(done).toMatchObject({
    didCommit: true,
    outcomes: [{ value: 1 }, { value: 2 }, { error: new Error('not -3') }, { value: 4 }],
  })
  expect(rows()).toEqual([1, 2, 4])
  expect(commits).toEqual([3])
})

test('GroupCommit takes no more than a group may have, by number and by time', async () => {
  const { connection, commits } = open()
  const queue = queueOf(1, 2, 3, 4, 5)
  await new GroupCommit(connection, { maxOperations: 2 }).run(() => queue.shift())
  expect(queue).toHaveLength(3)
  await new GroupCommit(connection, { maxMs: -1 }).run(() => queue.shift())
  expect(queue).toHaveLength(2)
  expect(commits).toEqual([2, 3])
})

test('GroupCommit fails all of a group that SQLite took back, and the next group works', async () => {
  const { connection, rows } = open()
  const group = new GroupCommit(connection)
  const ending: Operation<never, unknown> = write(async ({ sql: db }) => {
    await sql.raw('ROLLBACK').execute(db)
    throw new Error('the whole transaction ended')
  })
  const queue = [...queueOf(1), { operation: ending, args: undefined }, ...queueOf(2)]
  const done = await group.run(() => queue.shift())
  expect(done).toMatchObject({
    didCommit: false,
    wasAtCommit: false,
    failure: new Error('the whole transaction ended'),
  })
  expect(done.members).toHaveLength(2)
  expect(rows()).toEqual([])
  expect(await group.run(() => queue.shift())).toMatchObject({ didCommit: true })
  expect(rows()).toEqual([2])
})

import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sqliteDialect } from './dialect.ts'
import { listOf, rowSet } from './row-set.ts'
import { kyselyOver } from './sqlite/kysely.ts'

let database!: Sqlite.Database

/** Statistics are of the time when it was small: it is looked at again once an hour, and grows by thousands in a second. */
beforeEach(() => {
  database = new Sqlite(':memory:')
  database.exec('CREATE TABLE part (id INTEGER PRIMARY KEY, state TEXT)')
  const insert = database.prepare('INSERT INTO part (id, state) VALUES (?, ?)')
  insert.run(0, 'old')
  database.exec('ANALYZE')
  for (let id = 1; id <= 2000; id += 1) insert.run(id, 'old')
})
afterEach(() => database.close())

const rows = Array.from({ length: 1000 }, (_, id) => ({ id, state: `state ${id}` }))
const given = () => rowSet(sqliteDialect, { id: 'integer', state: 'text' }, rows)

/** What SQLite does for it, step by step. */
function planOf(statement: string): string[] {
  return database
    .prepare(`EXPLAIN QUERY PLAN ${statement}`)
    .all('[]')
    .map(row => (row as { detail: string }).detail)
}

test.each([
  {
    what: 'updated',
    statement: sql`UPDATE part SET state = given.state FROM ${given()} AS given WHERE part.id = given.id`,
  },
  { what: 'joined', statement: sql`SELECT part.id FROM part JOIN ${given()} AS given ON given.id = part.id` },
])('rows $what by a set read its array once, whatever statistics say', async ({ statement }) => {
  const db = kyselyOver(database)
  const plan = planOf(statement.compile(db).sql)
  const array = plan.findIndex(step => step.startsWith('SCAN jsonb_each'))
  expect(plan[array - 1]).toMatch(/^(MATERIALIZE|CO-ROUTINE) given$/)
  await statement.execute(db)
})

test('each row has the values that were given for it', async () => {
  const db = kyselyOver(database)
  await sql`UPDATE part SET state = given.state FROM ${given()} AS given WHERE part.id = given.id`.execute(db)
  const list = listOf(sqliteDialect, 'integer', [7, 999, 1500])
  const { rows: found } = await sql`SELECT id, state FROM part WHERE id IN ${list} ORDER BY id`.execute(db)
  expect(found).toEqual([
    { id: 7, state: 'state 7' },
    { id: 999, state: 'state 999' },
    { id: 1500, state: 'old' },
  ])
})

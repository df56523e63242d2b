import { LibrarianError } from '@arriero/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Log } from '../log.ts'
import { createFailureLog } from './failure-log.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

let lines: Line[]
let log: Log
beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  const note = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...fields } })
  log = { debug: () => {}, info: note('info'), warn: note('warn'), error: note('error') }
})
afterEach(() => {
  vi.useRealTimers()
})

const call = { id: '1', path: '/api/v2/upload/stage', status: 507 }
const full = (what: string) => new LibrarianError('NoSpace', `Cannot take ${what}: the disk is full`)

test('a trouble that every call meets is told at once, then once a minute with how often, then no more', () => {
  const failures = createFailureLog(log)
  for (let n = 0; n < 50; n++) failures.tell(full(`file ${n}`), full('x'), call)
  expect(lines).toMatchObject([{ level: 'warn', message: 'Cannot take file 0: the disk is full' }])
  vi.advanceTimersByTime(60_000)
  expect(lines[1]).toMatchObject({ level: 'warn', fields: { count: 49 } })
  failures.tell(full('another'), full('x'), call)
  vi.advanceTimersByTime(60_000)
  expect(lines[2]).toMatchObject({ fields: { count: 1 } })
  vi.advanceTimersByTime(600_000)
  expect(lines).toHaveLength(3)
  failures.tell(full('much later'), full('x'), call)
  expect(lines[3]).toMatchObject({ message: expect.stringContaining('much later') })
})

test('troubles of different kinds, and those behind different routes, do not hide each other', () => {
  const failures = createFailureLog(log)
  const gone = new LibrarianError('StoreUnavailable', 'gone')
  failures.tell(full('a'), full('a'), call)
  failures.tell(gone, gone, { ...call, status: 503 })
  failures.tell(full('a'), full('a'), { ...call, path: '/api/v2/upload/commit' })
  expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn'])
})

test('faults of the program are errors with what was thrown, one for each place that throws', () => {
  const failures = createFailureLog(log)
  const generic = new LibrarianError('Internal', 'Internal server error.')
  const first = new Error('first')
  const second = new Error('second')
  for (const thrown of [first, second, first]) failures.tell(generic, thrown, { ...call, status: 500 })
  expect(lines.map(({ level, fields }) => [level, fields.err])).toEqual([
    ['error', first],
    ['error', second],
  ])
})

test('what callers did wrong is told each time', () => {
  const failures = createFailureLog(log)
  const wrong = new LibrarianError('BadName', 'no')
  for (let n = 0; n < 3; n++) failures.tell(wrong, wrong, { ...call, status: 400 })
  expect(lines.map(({ level }) => level)).toEqual(['info', 'info', 'info'])
})

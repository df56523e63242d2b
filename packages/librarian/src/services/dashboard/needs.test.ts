import { expect, test } from 'vitest'
import { type NeedsGround, needsOf } from './needs.ts'

type Task = NeedsGround['taskList'][number]

const at = (time: string) => `2026-03-01T${time}:00.000000Z`
const task = (next: string | null, more: Partial<Task> = {}): Task => ({
  name: 'send',
  outcome: 'done',
  state: 'waiting',
  started: at('09:00'),
  next_run: next && at(next),
  ...more,
})
const ground = (taskList: readonly Task[]): NeedsGround => ({
  now: at('12:00'),
  backlog: [],
  proof: {
    oldest_time: null,
    unproven_files: 0,
    period_seconds: null,
    by_state: { ok: 0, mismatch: 0, missing: 0, unreadable: 0, unavailable: 0, 'never-checked': 0 },
  },
  stores: [],
  errors: [],
  taskList,
  proposals: 0,
})

test('tasks that are due and that nobody begins are told, with how long', () => {
  const [need] = needsOf(ground([task('11:58'), task('11:50'), task('13:00'), task(null, { state: 'off' })]))
  expect(need).toMatchObject({ severity: 'error', title: 'Nobody runs the tasks', page: '/tasks' })
  expect(need?.detail).toMatch(/^2 are overdue, the first since 2026-03-01 11:50 UTC/)
})

test.each<[string, readonly Task[]]>([
  ['all have time', [task('12:01')]],
  ['one has just become due', [task('11:59')]],
  [
    'one goes on, which others of its kind wait for',
    [task('10:00'), task(null, { state: 'running', started: at('08:00') })],
  ],
  ['one has begun since, so that somebody is there', [task('10:00'), task('12:30', { started: at('11:30') })]],
])('nobody is needed while %s', (_, tasks) => {
  expect(needsOf(ground(tasks))).toEqual([])
})

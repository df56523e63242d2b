import { expect, test } from 'vitest'
import { countsText, rankOf, runText } from './task-texts.ts'

const task = {
  id: '1',
  kind: 'scrub',
  name: 'scrub',
  state: 'waiting',
  started_time: '2026-11-22T04:00:00',
  ended_time: '2026-11-22T04:02:05',
  outcome: 'done',
  note: null,
  counts: {},
  next_time: null,
} as const

test('countsText() tells every count, also those that are 0', () => {
  expect(countsText({ files_read: 1200, bad: 0 })).toBe('files read 1,200, bad 0')
  expect(countsText({})).toBe('')
})

test('runText() tells how long a run took, or goes on; nothing where the times are of two runs', () => {
  expect(runText(task)).toBe('took 2 min 05 s')
  expect(runText({ ...task, state: 'running' }, Date.UTC(2026, 10, 22, 4, 0, 12))).toBe('for 12 s')
  expect(runText({ ...task, ended_time: '2026-11-22T03:00:00' })).toBe('')
  expect(runText({ ...task, started_time: null })).toBe('')
})

test('rankOf() has failures first and what is off last', () => {
  const ranks = [
    rankOf({ state: 'waiting', outcome: 'failed' }),
    rankOf({ state: 'interrupted', outcome: 'done' }),
    rankOf({ state: 'running', outcome: 'done' }),
    rankOf({ state: 'waiting', outcome: 'partial' }),
    rankOf({ state: 'off', outcome: 'done' }),
  ]
  expect(ranks).toEqual([0, 1, 2, 3, 4])
})

import { describe, expect, test } from 'vitest'
import { WorkingSet } from './working-set.ts'

const MIB = 1 << 20

/** Answers that all waited and took so long, and then a look. */
function answers(
  set: WorkingSet,
  { count = 16, waitedMs = 50, totalMs = 200, now = 0, isBehind = false } = {},
): number {
  for (let answer = 0; answer < count; answer++) set.answered(waitedMs, totalMs)
  set.adapt(now, isBehind)
  return set.size / MIB
}

describe('WorkingSet', () => {
  test('begins with 48 MiB, or with the budget if that is less', () => {
    expect(new WorkingSet(1024 * MIB).size).toBe(48 * MIB)
    expect(new WorkingSet(8 * MIB).size).toBe(8 * MIB)
  })

  test('is raised within the budget, never lowered', () => {
    const set = new WorkingSet(100 * MIB)
    set.raise(64 * MIB)
    set.raise(10 * MIB)
    expect(set.size).toBe(64 * MIB)
    set.raise(1000 * MIB)
    expect(set.size).toBe(100 * MIB)
  })

  test('doubles once a second on a long path, up to the budget', () => {
    const set = new WorkingSet(200 * MIB)
    const sizes = [0, 500, 1000, 2000, 3000].map(now => answers(set, { now }))
    expect(sizes).toEqual([96, 96, 192, 200, 200])
  })

  test.each([
    ['first bytes come soon', { waitedMs: 9 }],
    ['waiting is a small part of the time', { totalMs: 2000 }],
    ['there are few answers', { count: 15 }],
    ['what has arrived waits for the disk', { isBehind: true }],
  ])('stays as it is when %s', (_, asked) => {
    expect(answers(new WorkingSet(1024 * MIB), asked)).toBe(48)
  })

  test('one quick answer shows that the path is short', () => {
    const set = new WorkingSet(1024 * MIB)
    set.answered(1, 200)
    expect(answers(set)).toBe(48)
  })
})

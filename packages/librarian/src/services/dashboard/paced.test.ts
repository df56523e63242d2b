import { expect, test } from 'vitest'
import { createPaced } from './paced.ts'

/** A clock that moves when it is told to, and computations that end when they are told to. */
function hand(options: { everyMs: number; share?: number; lateMs?: number }) {
  let now = 0
  const ends: ((value: string) => void)[] = []
  const fails: ((error: Error) => void)[] = []
  const compute = () =>
    new Promise<string>((resolve, reject) => {
      ends.push(resolve)
      fails.push(reject)
    })
  return {
    ends,
    fails,
    pass: (ms: number) => (now += ms),
    ask: createPaced(compute, { clock: { now: () => now }, ...options }),
  }
}

test('many who ask share one computation, and its result until it is old enough for its price', async () => {
  const { ask, ends, pass } = hand({ everyMs: 100, share: 20 })
  const asked = [ask(), ask()]
  pass(10)
  ends[0]!('first')
  expect(await Promise.all(asked)).toEqual(['first', 'first'])
  pass(199)
  expect(await ask()).toBe('first')
  expect(ends).toHaveLength(1)
  pass(1)
  const next = ask()
  ends[1]!('second')
  expect(await next).toBe('second')
})

test('what may be late is given at once while the next is computed, but not when it is too old', async () => {
  const { ask, ends, pass } = hand({ everyMs: 100, lateMs: 1000 })
  const first = ask()
  ends[0]!('first')
  await first
  pass(100)
  expect([await ask(), await ask()]).toEqual(['first', 'first'])
  expect(ends).toHaveLength(2)
  ends[1]!('second')
  await expect.poll(ask).toBe('second')
  pass(1100)
  const third = ask()
  ends[2]!('third')
  expect(await third).toBe('third')
})

test('a failure behind a late result is nobody’s, and is tried again', async () => {
  const { ask, ends, fails, pass } = hand({ everyMs: 100, lateMs: 1000 })
  const first = ask()
  ends[0]!('first')
  await first
  pass(100)
  expect(await ask()).toBe('first')
  fails[1]!(new Error('the database is away'))
  await expect.poll(async () => [await ask(), ends.length]).toEqual(['first', 3])
  ends[2]!('second')
  await expect.poll(ask).toBe('second')
})

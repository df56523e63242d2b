import { expect, test } from 'vitest'
import { systemClock } from '../../clock.ts'
import { createPacedLook } from './paced-look.ts'

/** A clock that moves when it is told to. */
function handClock() {
  let now = 0
  return { now: () => now, sleep: systemClock.sleep, pass: (ms: number) => (now += ms) }
}

test('what was seen is told again until it is old enough', async () => {
  const clock = handClock()
  let looks = 0
  const look = createPacedLook(async () => ++looks, { clock, leastMs: 100 })
  expect(await look()).toEqual({ value: 1, ageMs: 0 })
  clock.pass(99)
  expect(await look()).toEqual({ value: 1, ageMs: 99 })
  clock.pass(1)
  expect(await look()).toEqual({ value: 2, ageMs: 0 })
})

test('a dear look is taken as seldom as its share of the time allows', async () => {
  const clock = handClock()
  let looks = 0
  const dear = async () => {
    clock.pass(1000)
    return ++looks
  }
  const look = createPacedLook(dear, { clock, leastMs: 100, share: 0.05 })
  await look()
  for (let at = 0; at < 18; at++) {
    clock.pass(1000)
    expect((await look())?.value).toBe(1)
  }
  clock.pass(1000)
  expect((await look())?.value).toBe(2)
})

test('nobody waits for long: who asks meanwhile gets what was seen last, and all share one look', async () => {
  const clock = handClock()
  const ends: ((value: number) => void)[] = []
  const look = createPacedLook(() => new Promise<number>(resolve => void ends.push(resolve)), {
    clock,
    leastMs: 10,
    patienceMs: 5,
  })
  expect(await look()).toBeUndefined()
  ends[0]!(1)
  await expect.poll(() => look()).toMatchObject({ value: 1 })
  clock.pass(1000)
  expect(await Promise.all([look(), look()])).toMatchObject([{ value: 1 }, { value: 1 }])
  expect(ends).toHaveLength(2)
})

test('a look that fails is not known, until the next', async () => {
  const clock = handClock()
  let looks = 0
  const look = createPacedLook(
    async () => {
      if (++looks === 2) throw new Error('away')
      return looks
    },
    { clock, leastMs: 10 },
  )
  expect(await look()).toMatchObject({ value: 1 })
  clock.pass(20)
  expect(await look()).toBeUndefined()
  clock.pass(20)
  expect(await look()).toMatchObject({ value: 3 })
})

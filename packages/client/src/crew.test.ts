import { expect, test } from 'vitest'
import { workTogether } from './crew.ts'

test('workTogether() acts once on each, never with a hand that is busy', async () => {
  const busy = new Set<string>()
  const done: number[] = []
  await workTogether([1, 2, 3, 4, 5, 6, 7], ['left', 'right'], async (item, hand) => {
    expect(busy.has(hand)).toBe(false)
    busy.add(hand)
    await new Promise(resolve => setImmediate(resolve))
    busy.delete(hand)
    done.push(item)
  })
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('workTogether() rejects with what a hand met, when the others have ended', async () => {
  const done: number[] = []
  const work = workTogether([1, 2, 3, 4], ['left', 'right'], async item => {
    if (item === 1) throw new Error('met')
    await new Promise(resolve => setImmediate(resolve))
    done.push(item)
  })
  await expect(work).rejects.toThrow('met')
  expect(done).toEqual([2, 3, 4])
})

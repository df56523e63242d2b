import { expect, test } from 'vitest'
import { retryAll } from './retry-all.ts'

test('retryAll() tries those behind one that is refused, and tells of the first refusal', async () => {
  const tried: number[] = []
  const retried = await retryAll([1, 2, 3, 4], async id => {
    tried.push(id)
    if (id % 2 === 0) throw new Error(`no ${id}`)
  })
  expect(tried).toEqual([1, 2, 3, 4])
  expect(retried).toEqual({ done: 2, failure: new Error('no 2') })
})

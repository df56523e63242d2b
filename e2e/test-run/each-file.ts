/** Around each test file: a temporary folder of its own, so that what is left behind names who left it. */
import { afterAll, afterEach, expect } from 'vitest'
import { movePrivate } from './private-place.ts'

const place = movePrivate('f')
let hasFailed = false

afterEach(({ task }) => {
  hasFailed ||= task.result?.state === 'fail'
})

// Registered first, so it runs last, after the file's own hooks.
afterAll(() => {
  const left = place.leftOver()
  place.remove()
  // A test that failed half-way may not have come to its own cleaning; its failure is the news then.
  if (!hasFailed) expect(left, 'temporary folders and files that this file must remove').toEqual([])
})

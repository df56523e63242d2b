import { expect, test } from 'vitest'
import { shownCopies, shownState } from './copies.ts'

test.each([
  [0, 0, '0'],
  [2, 2, '2'],
  [2, 1, '2, 1 good'],
  [1, 0, '1, none good'],
])('shownCopies() of %d, %d of them good, is "%s"', (here, good, text) => {
  expect(shownCopies({ here, good })).toBe(text)
})

test.each([
  ['ok', true, 'ok'],
  ['mismatch', true, 'MISMATCH'],
  ['missing', false, 'MISSING, not available'],
  ['ok', false, 'not available'],
  ['never-checked', true, 'never-checked'],
  [undefined, true, 'available'],
])('shownState() of %s, in use %s, is "%s"', (state, available, text) => {
  const copy = { path: '/a', deletion_policy: 0 as const, created_time: '2026-11-20T22:03:37', available, state }
  expect(shownState(copy)).toBe(text)
})

import { expect, test } from 'vitest'
import { countText, directionOf, parseTransferPath, stateIn } from './queries.ts'

test('an address that was typed wrong shows what goes out, in every state', () => {
  expect(directionOf('in')).toBe('in')
  expect(directionOf('sideways')).toBe('out')
  expect(stateIn('FAILED')).toBe('FAILED')
  expect(stateIn('toString')).toBeUndefined()
})

test('countText() tells how many there are of a state, or of all', () => {
  const counts = { ONGOING: 1200, FAILED: 3 }
  expect(countText(counts, 'ONGOING')).toBe('moving 1,200')
  expect(countText(counts, 'COMPLETED')).toBe('done 0')
  expect(countText(counts, undefined)).toBe('all 1,203')
  expect(countText(undefined, 'FAILED')).toBe('failed')
})

test('parseTransferPath() takes a direction with a number, and nothing else', () => {
  expect(parseTransferPath('out/12')).toEqual({ direction: 'out', id: 12 })
  expect(parseTransferPath('in/0')).toEqual({ direction: 'in', id: 0 })
  for (const wrong of ['12', 'out/', 'out/-1', 'up/1', 'out/1/2', 'out/1e3']) {
    expect(parseTransferPath(wrong)).toBeUndefined()
  }
})

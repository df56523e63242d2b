import fc from 'fast-check'
import { expect, test } from 'vitest'
import { median, percentile } from './percentile.ts'

const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 })

test('percentile() is the smallest value that at least so many per cent of the values do not exceed', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 100 }), (list, percent) => {
      const sorted = list.toSorted((a, b) => a - b)
      const found = percentile(sorted, percent)
      const notAbove = (limit: number) => sorted.filter(value => value <= limit).length * 100
      expect(sorted).toContain(found)
      expect(notAbove(found)).toBeGreaterThanOrEqual(percent * sorted.length)
      for (const smaller of sorted.filter(value => value < found)) {
        expect(notAbove(smaller)).toBeLessThan(percent * sorted.length)
      }
    }),
  )
})

test('percentile() of ranks that a division would miss', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1)
  expect([0, 7, 29, 57, 95, 100].map(percent => percentile(hundred, percent))).toEqual([1, 7, 29, 57, 95, 100])
  expect([15, 20, 35, 40, 50].map((_, __, list) => percentile(list, 40))).toEqual([20, 20, 20, 20, 20])
})

test('percentile() and median() of nothing, and percentiles that are none, are refused', () => {
  expect(() => percentile([], 50)).toThrow(RangeError)
  expect(() => median([])).toThrow(RangeError)
  expect(() => percentile([1], 101)).toThrow('Cannot take percentile 101: 0 to 100 are there')
  expect(() => percentile([1], Number.NaN)).toThrow(RangeError)
})

test('median() is the middle value, or the mean of the two in the middle', () => {
  expect([median([3]), median([1, 4]), median([1, 2, 9]), median([1, 2, 4, 9])]).toEqual([3, 2.5, 2, 3])
})

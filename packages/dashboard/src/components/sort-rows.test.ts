import { expect, test } from 'vitest'
import { sortRows } from './sort-rows.ts'

test('sortRows() keeps what has no key at the end, both ways', () => {
  expect(sortRows([3, null, 1, undefined, 2], row => row, false)).toEqual([1, 2, 3, null, undefined])
  expect(sortRows([3, null, 1, undefined, 2], row => row, true)).toEqual([3, 2, 1, null, undefined])
})

test('sortRows() compares texts as people do, and keeps the order of equals', () => {
  expect(sortRows(['a10', 'a2', 'a1'], row => row, false)).toEqual(['a1', 'a2', 'a10'])
  const rows = [
    { key: 1, name: 'first' },
    { key: 1, name: 'second' },
  ]
  expect(sortRows(rows, ({ key }) => key, true)).toEqual(rows)
})

import { expect, test } from 'vitest'
import { someNames } from './some-names.ts'

test('someNames() says how many there are and names the first ones', () => {
  expect(someNames(['a'])).toBe('1 file (a)')
  expect(someNames(['b', 'a'])).toBe('2 files (a, b)')
  expect(someNames(['g', 'f', 'e', 'd', 'c', 'b', 'a'])).toBe('7 files (a, b, c, d, e, and 2 more)')
})

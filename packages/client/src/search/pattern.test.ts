import { expect, test } from 'vitest'
import { isPattern, matcherOf } from './pattern.ts'

test.each([
  ['a/*.nc', 'a/x.nc', true],
  ['a/*.nc', 'a/.nc', true],
  ['a/*.nc', 'a/b/x.nc', false],
  ['a/**.nc', 'a/b/x.nc', true],
  ['**/x.nc', 'a/b/x.nc', true],
  ['a/**', 'a/b/c', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['a?c', 'aöc', true],
  ['a?c', 'a😀c', true],
  ['a[1]*', 'a[1].fits', true],
  ['a[1]*', 'a1.fits', false],
  ['a.b', 'axb', false],
  ['*', '', true],
  ['a*', 'b', false],
])('matcherOf(%j) takes %j: %j', (pattern, name, isTaken) => {
  expect(matcherOf(pattern)(name)).toBe(isTaken)
})

test('matcherOf() ends soon for a pattern that would have others try every way', () => {
  expect(matcherOf(`${'*a'.repeat(120)}b`)('a'.repeat(500))).toBe(false)
})

test('isPattern() takes brackets for what they are', () => {
  expect([isPattern('a*'), isPattern('a?'), isPattern('a[1]')]).toEqual([true, true, false])
})

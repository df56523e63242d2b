import { expect, test } from 'vitest'
import { directoryOf } from './directory.ts'

test.each([
  [5, '0/5'],
  [10, '1/10'],
  [418, '4/1/418'],
  [1670, '1/6/7/1670'],
  [31604, '3/1/6/0/31604'],
])('directoryOf(%d) is %s', (number, directory) => {
  expect(directoryOf(number)).toBe(directory)
})

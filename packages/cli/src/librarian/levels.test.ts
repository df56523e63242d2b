import { levels } from '@arriero/api'
import { expect, test } from 'vitest'
import { levelName, levelNames, levelNumber } from './levels.ts'

test('the levels are those of the wire', () => {
  expect(Object.fromEntries(levelNames.map(name => [name, levelNumber(name)]))).toEqual(levels)
  expect(levelName(100)).toBe('ADMIN')
  expect(levelName(7)).toBe('7')
})

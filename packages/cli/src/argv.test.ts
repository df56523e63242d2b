import { expect, test } from 'vitest'
import { commandNameIn, normaliseArguments } from './argv.ts'

test('normaliseArguments() spells out getm’s flags of two letters', () => {
  expect(normaliseArguments(['get', 'U', '-cs', 'ab', '-ca', 'md5'])).toEqual([
    'get',
    'U',
    '--checksum',
    'ab',
    '--checksum-algorithm',
    'md5',
  ])
  expect(normaliseArguments(['-cs=a=b'])).toEqual(['--checksum=a=b'])
})

test('normaliseArguments() leaves -c, and everything behind --, alone', () => {
  expect(normaliseArguments(['-c', '--', '-cs'])).toEqual(['-c', '--', '-cs'])
})

test('commandNameIn() finds the command behind global flags and help', () => {
  expect(commandNameIn(['--json', '-v', 'get', 'x'])).toBe('get')
  expect(commandNameIn(['help', 'get'])).toBe('get')
  expect(commandNameIn(['--help'])).toBeUndefined()
})

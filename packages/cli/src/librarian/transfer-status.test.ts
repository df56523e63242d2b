import { transferStatuses } from '@arriero/api'
import { expect, test } from 'vitest'
import { statusName, statusNames, statusNumber } from './transfer-status.ts'

test('the states are those of the wire', () => {
  expect(Object.fromEntries(statusNames.map(name => [name, statusNumber(name)]))).toEqual(transferStatuses)
  expect(statusNames.map((_, number) => statusName(number))).toEqual(statusNames)
  expect(statusNumber('failed')).toBe(4)
  expect(statusNumber('toString')).toBeUndefined()
})

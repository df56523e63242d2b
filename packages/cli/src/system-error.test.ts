import { openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { systemReason, writeReason } from './system-error.ts'

function thrownBy(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}

test('systemReason() says in words what Node says in codes', () => {
  expect(systemReason(thrownBy(() => readFileSync('/no/such, open/file')))).toBe('there is no such file')
  expect(systemReason(thrownBy(() => readFileSync('/')))).toBe('it is a directory')
  expect(writeReason(thrownBy(() => openSync('/no/such/file', 'w')))).toBe('its directory is not there')
})

test('systemReason() leaves out the system call and the path of what it does not know', () => {
  const error = (message: string) => Object.assign(new Error(message), { code: 'EIO' })
  expect(systemReason(error('EIO: i/o error, read'))).toBe('EIO: i/o error')
  expect(systemReason(error("EXDEV: cross-device link, rename 'a, b' -> 'c'"))).toBe('EXDEV: cross-device link')
  expect(systemReason(new Error('no more'))).toBe('no more')
})

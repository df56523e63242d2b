import { expect, test } from 'vitest'
import { closest } from './suggest.ts'

test('closest() finds what a slip of the hand meant, and nothing for what is far from everything', () => {
  const flags = ['--checksum', '--connections', '--concurrency', '--dir']
  expect(closest('--chekcsum', flags)).toBe('--checksum')
  expect(closest('--conections', flags)).toBe('--connections')
  expect(closest('--dri', flags)).toBe('--dir')
  expect(closest('--zzzzzz', flags)).toBeUndefined()
})

import { expect, test } from 'vitest'
import { ArchiveMembers } from './archive-members.ts'

const file = (path: string, size = 0) => ({ path, type: 'file', size }) as const

test('ArchiveMembers counts directories that nobody told of, and takes no more than its most', () => {
  const members = new ArchiveMembers({ what: 'x', size: 10, most: 4 })
  members.admit(file('a/b/1'))
  members.admit(file('a/2'))
  expect(() => members.admit(file('a/3'))).toThrow(
    expect.objectContaining({ code: 'BadArchive', message: expect.stringContaining('at most 4') }),
  )
})

test('ArchiveMembers takes no byte more than was announced, before it comes', () => {
  const members = new ArchiveMembers({ what: 'x', size: 10 })
  members.admit(file('a', 10))
  members.admit(file('b'))
  expect(() => members.admit(file('c', 1))).toThrow(expect.objectContaining({ code: 'Mismatch' }))
  expect(() => members.admit(file('d', Number.MAX_SAFE_INTEGER))).toThrow(expect.objectContaining({ code: 'Mismatch' }))
})

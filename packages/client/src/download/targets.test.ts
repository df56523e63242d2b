import { expect, test } from 'vitest'
import { Targets } from './targets.ts'

test.each([
  ['2026/A', 'A', '2026/a', 'a', /^Cannot write 2026\/a: 2026\/A would have the same path/],
  ['x/f', 'f', 'y/f', 'f', /^Cannot write y\/f: x\/f would have the same path/],
  ['x/d', 'd', 'y/D/f', 'D/f', /^Cannot write y\/D\/f: x\/d has the path of its directory/],
  ['x/d/f', 'd/f', 'y/d', 'd', /^Cannot write y\/d: x\/d\/f lies in a directory/],
])('Targets refuses what would meet %s at %s, naming both and the way out', (first, firstPath, name, path, message) => {
  const targets = new Targets()
  expect(targets.claim('before', 'another path')).toBeUndefined()
  expect(targets.claim(first, firstPath)).toBeUndefined()
  const refused = targets.claim(name, path)
  expect(refused).toMatchObject({ code: 'Usage', message: expect.stringMatching(message) })
  expect(refused?.remedy).toMatch(/-o .*-d /)
  // One that is refused takes nothing: the next is named rightly.
  expect(targets.claim('z/next', 'next')).toBeUndefined()
  expect(targets.claim('z/NEXT', 'NEXT')?.message).toContain(': z/next would')
})

test('Targets shows names as text, whatever is in them', () => {
  const targets = new Targets()
  targets.claim('\u001b[2Ja', 'a')
  expect(targets.claim('\u001b[2JA', 'A')?.message).not.toContain('\u001b')
})

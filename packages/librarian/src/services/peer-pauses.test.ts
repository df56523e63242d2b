import { expect, test } from 'vitest'
import { PeerPauses } from './peer-pauses.ts'

function open() {
  const clock = { ms: 0, now: () => clock.ms }
  return { clock, pauses: new PeerPauses({ clock, random: () => 0.5, firstMs: 1000 }) }
}

test('hasten() lets a librarian be tried now, and the pause after a failure of that is the longer one', () => {
  const { pauses } = open()
  pauses.failed('a')
  pauses.failed('a')
  pauses.hasten('a')
  expect(pauses.isPaused('a')).toBe(false)
  pauses.failed('a')
  expect(pauses.leftMs('a')).toBe(3000)
  pauses.hasten('b')
  expect(pauses.shortestMs()).toBe(3000)
})

test('answered() makes the pauses begin anew', () => {
  const { clock, pauses } = open()
  for (let n = 0; n < 5; n++) pauses.failed('a')
  pauses.answered('a')
  expect(pauses.isPaused('a')).toBe(false)
  pauses.failed('a')
  expect(pauses.leftMs('a')).toBe(750)
  clock.ms = 750
  expect(pauses.shortestMs()).toBeUndefined()
})

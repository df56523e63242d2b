import { expect, test } from 'vitest'
import { Silence, STEP_MS } from './silence.ts'

/** Steps until it is down at the latest, and at which of them it asks. */
function probesOf(silence: Silence, steps: number): number[] {
  const probes: number[] = []
  for (let n = 1; n <= steps; n++) if (silence.next() === 'probe') probes.push(n)
  return probes
}

test('Silence is broken by no probe for a second, and by ever fewer after that', () => {
  const probes = probesOf(new Silence(), 230)
  expect(probes[0]! * STEP_MS).toBe(1000)
  expect(probes.length).toBeLessThan(45)
  const pauses = probes.slice(1).map((at, index) => at - probes[index]!)
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
  for (const [index, pause] of pauses.entries()) expect(pause).toBeLessThanOrEqual(Math.max(1, probes[index]! / 8))
})

test('Silence means a slow librarian where the first probe is answered, and it is asked again much later', () => {
  const silence = new Silence()
  expect(probesOf(silence, 4)).toEqual([4])
  expect(silence.answered()).toBe('slow')
  expect(probesOf(silence, 4)).toEqual([4])
  expect(silence.answered()).toBe('slow')
})

test('Silence means a cut where probes before the one that is answered were not', () => {
  const silence = new Silence()
  probesOf(silence, 7)
  expect(silence.answered()).toBe('back')
  expect(silence.steps).toBe(0)
  expect(probesOf(silence, 4)).toEqual([4])
})

test('Silence after a failure is probed at the next step', () => {
  const silence = new Silence()
  silence.lost()
  expect(silence.next()).toBe('probe')
  expect(silence.answered()).toBe('back')
})

test('Silence is given up after a minute, but never while probes are answered', () => {
  const silence = new Silence()
  const turns = Array.from({ length: 240 }, () => silence.next())
  expect(turns.indexOf('down')).toBe(239)
  const slow = new Silence()
  for (let n = 0; n < 1000; n++) {
    const turn = slow.next()
    expect(turn).not.toBe('down')
    if (turn === 'probe') slow.answered()
  }
})

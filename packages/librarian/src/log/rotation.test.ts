import { expect, test } from 'vitest'
import { endOf, parseRotation } from './rotation.ts'

const hour = 3_600_000

test.each([
  ['500 MB', { by: 'size', bytes: 500_000_000 }],
  ['0.5 GB', { by: 'size', bytes: 500_000_000 }],
  ['10 KiB', { by: 'size', bytes: 10_240 }],
  ['1 week', { by: 'age', ms: 7 * 24 * hour }],
  ['1 day 12 h', { by: 'age', ms: 36 * hour }],
  ['10 h', { by: 'age', ms: 10 * hour }],
  ['daily', { by: 'clock', every: 'day', day: 0, minute: 0 }],
  ['18:30', { by: 'clock', every: 'day', day: 0, minute: 1110 }],
  ['Sunday at 03:00', { by: 'clock', every: 'week', day: 0, minute: 180 }],
  ['monday', { by: 'clock', every: 'week', day: 1, minute: 0 }],
])('parseRotation() reads %s', (text, rotation) => {
  expect(parseRotation(text)).toEqual(rotation)
})

test.each(['', '0 MB', 'MB', 'sometimes', '25:00', '1 fortnight', 'sunday at noon', '3'])(
  'parseRotation() refuses %j and says what there is',
  text => {
    expect(() => parseRotation(text)).toThrow(/is no rotation/)
  },
)

test.each([
  ['daily', '2026-11-21T19:00:00Z', '2026-11-22T00:00:00.000Z'],
  ['18:00', '2026-11-21T19:00:00Z', '2026-11-22T18:00:00.000Z'],
  ['18:00', '2026-11-21T17:00:00Z', '2026-11-21T18:00:00.000Z'],
  ['hourly', '2026-11-21T23:10:00Z', '2026-11-22T00:00:00.000Z'],
  // A Saturday.
  ['sunday at 03:00', '2026-11-21T19:00:00Z', '2026-11-22T03:00:00.000Z'],
  ['saturday', '2026-11-21T19:00:00Z', '2026-11-28T00:00:00.000Z'],
  ['monthly', '2026-12-21T19:00:00Z', '2027-01-01T00:00:00.000Z'],
  ['2 days', '2026-11-21T19:00:00Z', '2026-11-23T19:00:00.000Z'],
])('endOf() %s, begun %s, is %s', (text, begun, end) => {
  expect(new Date(endOf(parseRotation(text), Date.parse(begun))!).toISOString()).toBe(end)
})

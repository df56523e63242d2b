import { expect, test } from 'vitest'
import { formatFigure, readableUnit } from './figures.ts'
import { formatTime, timeAxis } from './time-axis.ts'

const labels = (duration: number) => {
  const { ticks, format } = timeAxis(duration, 12)
  return ticks.map(format)
}

test('labels are as fine as the run is short, and never more than have room', () => {
  expect(labels(0.3)).toEqual(['0.00 s', '0.05 s', '0.10 s', '0.15 s', '0.20 s', '0.25 s', '0.30 s'])
  expect(labels(42)).toEqual(['0 s', '5 s', '10 s', '15 s', '20 s', '25 s', '30 s', '35 s', '40 s'])
  expect(labels(600)).toEqual(['0 s', ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(minute => `${minute}:00`)])
  expect(labels(3 * 3600)).toEqual(expect.arrayContaining(['15:00', '1:00:00', '3:00:00']))
  for (const duration of [0.001, 0.1, 7, 100, 5000, 86_400, 1e6, 1e8]) {
    expect(labels(duration).length).toBeLessThanOrEqual(13)
    expect(labels(duration).length).toBeGreaterThanOrEqual(2)
  }
})

test('formatTime() keeps the digits of its step, also behind a clock', () => {
  expect(formatTime(0.3, 0.1)).toBe('0.3 s')
  expect(formatTime(125.25, 0.01)).toBe('2:05.25')
  expect(formatTime(3725, 1)).toBe('1:02:05')
  expect(formatTime(119.999, 0.1)).toBe('2:00.0')
})

test('formatFigure() shows three figures', () => {
  expect([0, 3, 0.123456, 12.345, 1234.5, -0.5, 0.00012].map(formatFigure)).toEqual([
    '0',
    '3',
    '0.12',
    '12.3',
    '1,235',
    '-0.5',
    '0.00012',
  ])
})

test('readableUnit() takes the largest unit in which the highest value is at least 1', () => {
  expect(readableUnit('Gbit/s', 2)).toEqual({ unit: 'Gbit/s', factor: 1 })
  expect(readableUnit('Gbit/s', 0.02)).toEqual({ unit: 'Mbit/s', factor: 1000 })
  expect(readableUnit('Gbit/s', 1e-9)).toEqual({ unit: 'kbit/s', factor: 1e6 })
  expect(readableUnit('Gbit/s', 0)).toEqual({ unit: 'Gbit/s', factor: 1 })
  expect(readableUnit('%', 0.1)).toEqual({ unit: '%', factor: 1 })
})

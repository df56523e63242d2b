import { expect, test } from 'vitest'
import { formatBytes, formatCount, formatFiles, formatShare } from './bytes.ts'

test('formatBytes() uses binary prefixes and three to four figures', () => {
  expect([0, 999, 1000, 13_631_488, 1.5 * 2 ** 30, 2 ** 80].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '0.98 KiB',
    '13.0 MiB',
    '1.50 GiB',
    '1048576 EiB',
  ])
})

test('formatFiles() counts with separators, one in the singular', () => {
  expect([formatFiles(1), formatFiles(1_234_567), formatFiles(0, 'task')]).toEqual([
    '1 file',
    '1,234,567 files',
    '0 tasks',
  ])
  expect(formatCount(40_210)).toBe('40,210')
})

test('formatShare() never rounds to all or nothing', () => {
  expect([0, 0.0001, 0.5, 0.9999, 1].map(formatShare)).toEqual(['0 %', '< 1 %', '50 %', '> 99 %', '100 %'])
})

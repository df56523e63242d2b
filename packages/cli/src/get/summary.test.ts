import { expect, test } from 'vitest'
import type { ManifestSummary } from '../engine.ts'
import { summaryLine } from './summary.ts'

const style = { red: (text: string) => text }
const MiB = 2 ** 20

const summary: ManifestSummary = {
  rows: 60,
  statuses: { downloaded: 3, skipped_complete: 57 },
  failed: 0,
  renamed: 0,
  repaired: 2,
  bytes: 240 * MiB,
  skippedBytes: 228 * MiB,
  transferred: 12 * MiB,
  totalMs: 2000,
}

test('summaryLine() keeps what was there apart from what was fetched', () => {
  expect(summaryLine(summary, style)).toBe(
    '3 files, 12.0 MiB in 2.0 s (6.00 MiB/s), 57 there already (228 MiB), 2 repaired',
  )
})

test('summaryLine() has no speed where nothing was fetched', () => {
  const all = { ...summary, statuses: { skipped_complete: 60 }, repaired: 0, transferred: 0, skippedBytes: 240 * MiB }
  expect(summaryLine(all, style)).toBe('0 files, 0 B in 2.0 s, 60 there already (240 MiB)')
})

test('summaryLine() does not call a failure what was not done', () => {
  const statuses = { downloaded: 3, denied: 1, cancelled: 56 }
  const interrupted = { ...summary, statuses, failed: 57, repaired: 0, bytes: 12 * MiB, skippedBytes: 0 }
  expect(summaryLine(interrupted, style)).toBe('3 files, 12.0 MiB in 2.0 s (6.00 MiB/s), 56 not done, 1 FAILED')
})

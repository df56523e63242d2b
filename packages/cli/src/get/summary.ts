/** What a run over a list adds up to, as a line for people and as an object for programs. */
import type { ManifestSummary } from '../engine.ts'
import type { Style } from '../terminal.ts'
import { count } from '../text.ts'
import { formatDuration, formatRate, formatSize } from '../units.ts'

/** `3 files, 12.0 MiB in 0.41 s (29.3 MiB/s), 57 there already (228 MiB), 2 repaired, 1 FAILED` */
export function summaryLine(summary: ManifestSummary, style: Pick<Style, 'red'>): string {
  const { statuses, bytes, skippedBytes, transferred, repaired, renamed, failed, totalMs } = summary
  const sum = (...names: (keyof typeof statuses)[]) => names.reduce((total, name) => total + (statuses[name] ?? 0), 0)
  const rate = totalMs > 0 && transferred > 0 ? ` (${formatRate((transferred / totalMs) * 1000)})` : ''
  const left = sum('cancelled')
  const rest: [number, string][] = [
    [sum('skipped_complete', 'skipped_size_only'), `there already (${formatSize(skippedBytes)})`],
    [sum('duplicate'), 'named twice'],
    [sum('skipped_by_hook'), 'left out by hooks'],
    [repaired, 'repaired'],
    [renamed, 'renamed'],
    [sum('unverified', 'skipped_size_only'), 'checked by size only'],
    [left, 'not done'],
  ]
  const fetched = sum('downloaded', 'resumed', 'unverified')
  const parts = [`${count(fetched, 'file')}, ${formatSize(bytes - skippedBytes)} in ${formatDuration(totalMs)}${rate}`]
  for (const [number, what] of rest) if (number > 0) parts.push(`${number.toLocaleString('en-US')} ${what}`)
  if (failed > left) parts.push(style.red(`${(failed - left).toLocaleString('en-US')} FAILED`))
  return parts.join(', ')
}

/** The last line of a report. */
export function summaryRow(summary: ManifestSummary): Record<string, unknown> {
  return { summary: { ok: summary.failed === 0, ...summary } }
}

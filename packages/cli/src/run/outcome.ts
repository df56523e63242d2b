/** What became of items and stages, as lines for people and as objects for programs. */
import type { ItemResult, PipelineSummary } from '../engine.ts'
import { classOf, tellItem, toLine } from '../errors.ts'
import type { Style } from '../terminal.ts'
import { count, printable } from '../text.ts'
import { formatDuration } from '../units.ts'
import { table } from './table.ts'

/** A line of the report. Without a state a key is only a position: `item` says which one it is, as on the screen. */
export function itemRow(result: ItemResult, label: string): Record<string, unknown> {
  const { index, key, ok, status, warnings } = result
  const common = { index, key, item: label, ok, status, ...(warnings.length > 0 ? { warnings } : {}) }
  if (!result.ok) {
    const { stage, attempts, at } = result
    return { ...common, stage, attempts, at, error: tellItem(result.error) }
  }
  return result.status === 'done' ? { ...common, ...fileIn(result.value) } : { ...common, reason: result.reason }
}

/** Of a value only the file that it names: all else may be as large as what was fetched. */
function fileIn(value: unknown): { readonly path?: string; readonly size?: number } {
  const { path, size } = (value ?? {}) as { path?: unknown; size?: unknown }
  return {
    ...(typeof path === 'string' ? { path } : {}),
    ...(typeof size === 'number' ? { size } : {}),
  }
}

/** `failed stage_failed: map clean, item 4 (418): too far (clean.ts:12:9). …` */
export function failureLine(result: ItemResult & { ok: false }, label: string, style: Pick<Style, 'red'>): string {
  const told = tellItem(result.error)
  const where = `${result.stage}, item ${result.index + 1} (${label})`
  const message = told.message.includes(where) ? told.message : `${where}: ${told.message}`
  const at = result.at === undefined ? '' : ` (${result.at})`
  const { remedy: _, ...bare } = told
  // Who wrote the pipeline has the line; a general remedy has nothing to add to it.
  const line = toLine({ ...(at === '' ? told : bare), message: `${message}${at}` }, '')
  return `${style.red('failed')} ${classOf(told)}: ${line}`
}

export function warningLine({ index, warnings }: ItemResult, label: string): string[] {
  return warnings.map(text => `item ${index + 1} (${printable(label)}): ${text}`)
}

/** `200 items: 187 done, 9 dropped, 4 FAILED in 3.2 s` */
export function summaryLine(summary: PipelineSummary, style: Pick<Style, 'red'>): string {
  const { items, done, skipped, unchanged, dropped, failed, isStopped, totalMs } = summary
  const parts = [`${done.toLocaleString('en-US')} done`]
  const rest: [number, string][] = [
    [skipped, 'done before'],
    [unchanged, 'unchanged'],
    [dropped, 'dropped'],
  ]
  for (const [number, what] of rest) if (number > 0) parts.push(`${number.toLocaleString('en-US')} ${what}`)
  if (failed > 0) parts.push(style.red(`${failed.toLocaleString('en-US')} FAILED`))
  const end = isStopped ? '; the rest of the list was not begun' : ''
  return `${count(items, 'item')}: ${parts.join(', ')} in ${formatDuration(totalMs)}${end}`
}

/** Where the time went: of each stage how many items, how long each took, and how long they waited for it. */
export function stageLines({ stages }: PipelineSummary): string[] {
  const rows = stages.map(({ name, passed, ended, failed, retries, busyMs, waitMs }) => {
    const items = passed + ended + failed
    const each = (ms: number) => (items === 0 ? '-' : briefly(ms / items))
    return [`  ${printable(name)}`, String(items), String(failed), String(retries), each(busyMs), each(waitMs)]
  })
  return table([['  stage', 'items', 'failed', 'retries', 'each', 'waited'], ...rows])
}

/** Most stages take less than what a duration is told in. */
function briefly(ms: number): string {
  return ms >= 1000 ? formatDuration(ms) : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`
}

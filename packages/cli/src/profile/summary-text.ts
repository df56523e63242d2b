import type { Phase, ProfileSummary } from '../engine.ts'
import { printable } from '../text.ts'

const rows = ['avg', 'max', 'min', 'median', 'first', 'p5', 'p95'] as const

/** The reference's summary: a block for each metric, four decimals, thousands separated (retrieval 2.6). */
export function summaryText({ durationMs, metrics, phases }: ProfileSummary): string {
  const blocks = metrics.map(({ name, unit, values }) => {
    const head = printable(unit === undefined ? name : `${name} (${unit})`)
    if (!values) return `${head}\n  unknown`
    return [head, ...aligned(rows.map(row => [row, decimals(values[row], 4)]))].join('\n')
  })
  const told = phases.map(phase => [phase.name, `${decimals(secondsOf(phase), 3)} sec`] as const)
  return [
    `Duration: ${decimals(durationMs / 1000, 3)} sec`,
    ...blocks,
    ...(told.length > 0 ? [['Phases', ...aligned(told)].join('\n')] : []),
  ].join('\n\n')
}

/** The same for programs. */
export function summaryJson({ durationMs, samples, metrics, phases }: ProfileSummary): Record<string, unknown> {
  return {
    duration: durationMs / 1000,
    samples,
    metrics: Object.fromEntries(
      metrics.map(({ name, unit, values }) => [name, { unit: unit ?? null, ...(values ?? { unknown: true }) }]),
    ),
    phases: phases.map(phase => ({ name: phase.name, seconds: secondsOf(phase) })),
  }
}

function secondsOf({ from, to }: Phase): number {
  return (to - from) / 1000
}

function decimals(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function aligned(pairs: readonly (readonly [string, string])[]): string[] {
  const shown = pairs.map(([name, value]) => [printable(name), value] as const)
  const [nameWidth, valueWidth] = ([0, 1] as const).map(at => Math.max(...shown.map(pair => pair[at].length)))
  return shown.map(([name, value]) => `  ${`${name}:`.padEnd(nameWidth! + 1)} ${value.padStart(valueWidth!)}`)
}

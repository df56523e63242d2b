import type { Overview } from '@arriero/api'
import { useMemo } from 'preact/hooks'
import { Chart } from '../../components/chart.tsx'
import { Section } from '../../components/page.tsx'
import { formatBytes, formatFiles } from '../../text/bytes.ts'
import { parseTime } from '../../text/time.ts'

/** Bytes per hour, in and out. */
export function Flow({ flow }: Pick<Overview, 'flow'>) {
  const times = useMemo(() => flow.map(({ time }) => parseTime(time)), [flow])
  const lines = useMemo(
    () => [
      { label: 'In', values: flow.map(({ in_bytes }) => in_bytes), form: 'bars' as const },
      { label: 'Out', values: flow.map(({ out_bytes }) => out_bytes), form: 'steps' as const },
    ],
    [flow],
  )
  const day = flow.slice(-24)
  const sum = (of: (hour: (typeof flow)[number]) => number) => day.reduce((total, hour) => total + of(hour), 0)
  const summary =
    `In the last 24 hours ${formatBytes(sum(hour => hour.in_bytes))} came in (${formatFiles(sum(hour => hour.in_files))}) ` +
    `and ${formatBytes(sum(hour => hour.out_bytes))} went out (${formatFiles(sum(hour => hour.out_files))}).`
  return (
    <Section title="Flow per hour" note="two days, UTC">
      <p class="soft">{summary}</p>
      <Chart title="Flow per hour" summary={summary} times={times} lines={lines} format={formatBytes} />
    </Section>
  )
}

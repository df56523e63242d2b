import { useEffect, useRef, useState } from 'preact/hooks'
import { useServices } from '../services.ts'
import { useStore } from '../state/use-store.ts'
import { formatTime } from '../text/time.ts'
import type { ChartLine } from './chart-line.ts'
import type { Drawn } from './draw-chart.ts'

export interface ChartProps {
  readonly title: string
  /** What there is to see, in a sentence, for those who do not. */
  readonly summary: string
  /** Milliseconds since 1970, rising. */
  readonly times: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly format: (value: number) => string
}

/** Values over time. The library that draws is loaded when the first chart is there. */
export function Chart({ title, summary, times, lines, format }: ChartProps) {
  const ref = useRef<HTMLDivElement>(null)
  const theme = useStore(useServices().theme.choice)
  const systemTheme = useSystemTheme()
  const [pointed, setPointed] = useState<number>()
  const at = pointed ?? times.length - 1

  const drawn = useRef<Drawn>(undefined)
  const latest = useRef({ times, lines })
  latest.current = { times, lines }

  // The theme changes what the colours’ names stand for.
  useEffect(() => {
    let isOver = false
    void import('./draw-chart.ts').then(({ drawChart }) => {
      if (!isOver) drawn.current = drawChart({ parent: ref.current!, ...latest.current, format, onPoint: setPointed })
    })
    return () => {
      isOver = true
      drawn.current?.stop()
      drawn.current = undefined
    }
  }, [format, theme, systemTheme])
  useEffect(() => drawn.current?.update(times, lines), [times, lines])

  return (
    <figure class="chart">
      <figcaption>
        <span class="when number">{at >= 0 && formatTime(times[at]!)}</span>
        {lines.map(({ label, values, form }, index) => (
          <span key={label} class="legend">
            <span class={`sample sample-${form} series-${index}`} aria-hidden="true" />
            {label} <b class="number">{format(values[at] ?? 0)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={ref} class="canvas" role="img" aria-label={`${title}. ${summary}`} />
      <details>
        <summary>As a table</summary>
        <div class="chart-table">
          <table>
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {lines.map(({ label }) => (
                  <th key={label} scope="col" class="end">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times
                .map((time, index) => (
                  <tr key={time}>
                    <th scope="row">{formatTime(time)}</th>
                    {lines.map(({ label, values }) => (
                      <td key={label} class="end number">
                        {format(values[index] ?? 0)}
                      </td>
                    ))}
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}

function useSystemTheme(): boolean {
  const query = useRef<MediaQueryList>(undefined)
  query.current ??= matchMedia('(prefers-color-scheme: dark)')
  const [isDark, setDark] = useState(query.current.matches)
  useEffect(() => {
    const look = () => setDark(query.current!.matches)
    query.current!.addEventListener('change', look)
    return () => query.current!.removeEventListener('change', look)
  }, [])
  return isDark
}

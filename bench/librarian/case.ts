/** What a case is given, and what it says. */
import { spread } from '../../packages/cli/src/bench/stats.ts'

export interface CaseOptions {
  readonly rounds: number
  /** Of the big file, bytes. */
  readonly size: number
  /** How many small files. */
  readonly files: number
  /** Files in the catalogue that is searched. */
  readonly rows: number
  /** On the disk that is measured. */
  readonly directory: string
}

export interface Figure {
  readonly what: string
  readonly unit: string
  /** One value a round. */
  readonly values: readonly number[]
  /** What must be reached, in words. */
  readonly target?: string
  /** Of what people would use instead, in the same rounds. */
  readonly isBaseline?: boolean
}

export function show({ what, unit, values, target }: Figure): string {
  const { median, min, max } = spread(values)
  const digits = median >= 100 ? 0 : median >= 10 ? 1 : 2
  const text = `${median.toFixed(digits)} ${unit} (${min.toFixed(digits)}–${max.toFixed(digits)})`
  return `  ${what.padEnd(44)} ${text}${target ? `   must: ${target}` : ''}`
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}

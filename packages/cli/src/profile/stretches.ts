/** Samples on an axis of seconds, and few enough to be drawn: when there are more than pixels, neighbours share a stretch. */
import type { EngineDoor, Sample } from '../engine.ts'

/** What one step of a line stands for: the samples that end within it. */
export interface Stretch {
  /** s since the start. */
  readonly from: number
  readonly to: number
  readonly samples: readonly Sample[]
}

export interface Axis {
  /** ms since 1970. */
  readonly start: number
  /** s; more than 0. */
  readonly duration: number
  /** s; the usual time between samples. */
  readonly interval: number
  readonly stretches: readonly Stretch[]
}

/** What a profile with one sample does not say: the default of --profile-interval. */
const usualInterval = 0.1

/**
 * A sample speaks of the time before it, so the axis begins one interval before the first one.
 *
 * @param most stretches; more samples than this are put together by equal times
 */
export function layOut(
  samples: readonly [Sample, ...Sample[]],
  most: number,
  { parseProfileTime }: Pick<EngineDoor, 'parseProfileTime'>,
): Axis {
  let latest = Number.NEGATIVE_INFINITY
  // A clock that was set back must not turn the line round.
  const times = samples.map(({ timestamp }) => (latest = Math.max(latest, parseProfileTime(timestamp))))
  const interval = usualGap(times)
  const first = times[0] as number
  const mark = samples[0].marks?.[0]
  const start = Math.min(first - interval * 1000, mark ? parseProfileTime(mark.at) : first)
  const ends = times.map(time => (time - start) / 1000)
  const duration = ends.at(-1) as number
  return {
    start,
    duration,
    interval,
    stretches: ends.length > most ? joined(samples, ends, most) : single(samples, ends),
  }
}

function usualGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, index) => time - (times[index] as number))
  const middle = gaps.sort((a, b) => a - b)[(gaps.length - 1) >> 1]
  return middle === undefined || middle === 0 ? usualInterval : middle / 1000
}

function single(samples: readonly Sample[], ends: readonly number[]): Stretch[] {
  return samples.map((sample, index) => ({
    from: index === 0 ? 0 : (ends[index - 1] as number),
    to: ends[index] as number,
    samples: [sample],
  }))
}

function joined(samples: readonly Sample[], ends: readonly number[], most: number): Stretch[] {
  const width = (ends.at(-1) as number) / most
  const stretches: { from: number; to: number; samples: Sample[] }[] = []
  let bucket = -1
  for (const [index, sample] of samples.entries()) {
    const to = ends[index] as number
    const own = Math.min(most - 1, Math.floor(to / width))
    const last = stretches.at(-1)
    if (last && own === bucket) {
      last.to = to
      last.samples.push(sample)
    } else stretches.push({ from: last?.to ?? 0, to, samples: [sample] })
    bucket = own
  }
  return stretches
}

/** Mean and extremes of what the samples of a stretch say; undefined when none of them knows it. */
export interface Spread {
  readonly mean: number
  readonly low: number
  readonly high: number
}

export function spreadOf({ samples }: Stretch, value: (sample: Sample) => number | undefined): Spread | undefined {
  let [sum, count, low, high] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const sample of samples) {
    const each = value(sample)
    if (each === undefined) continue
    sum += each
    count++
    low = Math.min(low, each)
    high = Math.max(high, each)
  }
  return count === 0 ? undefined : { mean: sum / count, low, high }
}

/** Rates and when things end at them: pure, over the hours of traffic. */
import { type Instant, instantOf, millisecondsOf } from '@arriero/api'
import type { HourOfTraffic, OpenTraffic } from '../../catalogue/operations/traffic.ts'
import { HOUR_MS, hourOf, hourStart, KEPT_HOURS } from './traffic-hours.ts'

export interface Flow {
  readonly time: Instant
  in_bytes: number
  in_files: number
  out_bytes: number
  out_files: number
}

/** The last `hours`, the present one last; without a gap. */
export function flowOf(rows: readonly HourOfTraffic[], now: Instant, hours = 48): Flow[] {
  const last = hourStart(millisecondsOf(now))
  const flows = Array.from({ length: hours }, (_, at): Flow => {
    const time = instantOf(new Date(last - (hours - 1 - at) * HOUR_MS))
    return { time, in_bytes: 0, in_files: 0, out_bytes: 0, out_files: 0 }
  })
  const byHour = new Map(flows.map(flow => [flow.time.slice(0, 13), flow]))
  for (const { hour, direction, files, bytes } of rows) {
    const flow = byHour.get(hour)
    if (!flow) continue
    flow[`${direction}_bytes`] += bytes
    flow[`${direction}_files`] += files
  }
  return flows
}

export interface Drain {
  readonly bytesPerHour: number
  /** Null: nothing moves. */
  readonly seconds: number | null
}

const RATE_HOURS = 6

/** How long what waits for a librarian will take, at the rate of the last hours. */
export function drainOf(
  { bytes }: Pick<OpenTraffic, 'bytes'>,
  librarian: string,
  rows: readonly HourOfTraffic[],
  now: Instant,
): Drain {
  const nowMs = millisecondsOf(now)
  const first = hourOf(hourStart(nowMs) - RATE_HOURS * HOUR_MS)
  const sent = rows
    .filter(({ direction, other, hour }) => direction === 'out' && other === librarian && hour >= first)
    .reduce((sum, each) => sum + each.bytes, 0)
  const bytesPerHour = sent / (RATE_HOURS + (nowMs - hourStart(nowMs)) / HOUR_MS)
  if (bytes === 0) return { bytesPerHour, seconds: 0 }
  return { bytesPerHour, seconds: bytesPerHour > 0 ? (bytes / bytesPerHour) * 3600 : null }
}

export interface Fill {
  /** Bytes; null: nothing came. */
  readonly perDay: number | null
  /** Null too where it is so far away that nobody need care. */
  readonly fullTime: Instant | null
}

const DAY_MS = 24 * HOUR_MS
const FAR_DAYS = 3650

/** When a store is full, at the rate of the last week; of a younger librarian, of its days. */
export function fillOf(storeId: number, free: number | null, rows: readonly HourOfTraffic[], now: Instant): Fill {
  const came = rows.filter(row => row.direction === 'in' && row.storeId === storeId)
  const bytes = came.reduce((sum, each) => sum + each.bytes, 0)
  if (bytes === 0) return { perDay: null, fullTime: null }
  const first = came.map(({ hour }) => hour).toSorted()[0]!
  const nowMs = millisecondsOf(now)
  const days = Math.min(Math.max((nowMs - Date.parse(`${first}:00:00Z`)) / DAY_MS, 1), KEPT_HOURS / 24)
  const perDay = bytes / days
  const left = free === null ? Number.POSITIVE_INFINITY : free / perDay
  return { perDay, fullTime: left < FAR_DAYS ? instantOf(new Date(nowMs + left * DAY_MS)) : null }
}

/** What has moved in each hour of the last days. Hours that are over do not change, and are asked for once. */
import { type Instant, instantOf, millisecondsOf } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { HourOfTraffic } from '../../catalogue/operations/traffic.ts'

export const HOUR_MS = 3_600_000
/** As far back as forecasts look. */
export const KEPT_HOURS = 7 * 24
/** After it, nothing is written with a time within the hour: clocks differ, transactions last. */
const SETTLED_MS = 300_000

/** All hours up to now that had any, in no order. */
export type TrafficHours = (now: Instant) => Promise<readonly HourOfTraffic[]>

export function createTrafficHours({
  catalogue: { traffic },
}: {
  catalogue: Pick<Catalogue, 'traffic'>
}): TrafficHours {
  const over = new Map<string, readonly HourOfTraffic[]>()
  /** The first hour that may change yet, ms. */
  let openFrom = 0

  let last: Promise<unknown> = Promise.resolve()

  // One after the other: who comes second finds the hours that are over.
  return now => {
    const rows = last.then(() => look(now))
    last = rows.catch(() => {})
    return rows
  }

  async function look(now: Instant): Promise<readonly HourOfTraffic[]> {
    const nowMs = millisecondsOf(now)
    const first = hourStart(nowMs) - (KEPT_HOURS - 1) * HOUR_MS
    const from = Math.max(openFrom, first)
    const rows = await traffic.hours({ from: instantOf(new Date(from)), to: '9999-12-31T23:59:59.999999Z' })
    const settled = hourStart(nowMs - SETTLED_MS)
    for (const [hour, ofHour] of Map.groupBy(rows, each => each.hour)) {
      if (hour < hourOf(settled)) over.set(hour, ofHour)
    }
    openFrom = Math.max(openFrom, settled)
    for (const hour of over.keys()) if (hour < hourOf(first)) over.delete(hour)
    const open = rows.filter(({ hour }) => !over.has(hour))
    return [...[...over.values()].flat(), ...open]
  }
}

export function hourStart(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS
}

/** As rows name it. */
export function hourOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13)
}

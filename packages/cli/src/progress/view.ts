import type { Measure } from './measure.ts'

/** Somebody who shows how a transfer stands. Counting is not its business. */
export interface View {
  /** Called ten times a second. */
  update(measure: Measure, now: number): void
  /** Called once, when everything is over; leaves the terminal as it was. */
  stop(now: number): void
}

/** Alarms as rows of the catalogue, and as lines of the log. */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Log } from '../log.ts'
import type { Alarm, Alarms } from './alarms.ts'

export function createAlarms({ catalogue, log }: { catalogue: Pick<Catalogue, 'errors'>; log: Log }): Alarms {
  return {
    async raise(alarm: Alarm) {
      const isSevere = alarm.severity === 'critical' || alarm.severity === 'error'
      log[isSevere ? 'error' : 'warn']({ category: alarm.category, caller: alarm.caller }, alarm.message)
      try {
        await catalogue.errors.raise(alarm)
      } catch (error) {
        log.error({ err: error, alarm: alarm.message }, 'An error could not be recorded in the catalogue')
      }
    },
  }
}

/** Alarms as rows of the catalogue, and as lines of the log. */
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Log } from '../log.ts'
import type { Alarm, Alarms } from './alarms.ts'

export function createAlarms({ catalogue, log }: { catalogue: Pick<Catalogue, 'errors'>; log: Log }): Alarms {
  return {
    async raise(alarm: Alarm) {
      const { severity, category, caller, message } = alarm
      const isSevere = severity === 'critical' || severity === 'error'
      const tell = () => log[isSevere ? 'error' : 'warn']({ category, caller }, message)
      try {
        // A condition that lasts is told once, however often it is met, until somebody has dealt with it.
        if ((await catalogue.errors.raise(alarm)).isNew) tell()
      } catch (error) {
        tell()
        log.error({ err: error, alarm: message }, 'An error could not be recorded in the catalogue')
      }
    },
  }
}

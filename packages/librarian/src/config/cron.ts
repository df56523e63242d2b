/** Times as crontab writes them, in UTC: minute, hour, day of the month, month, day of the week. */
import { Cron } from 'croner'

/** Undefined: there is none. */
export function cronProblem(line: string): string | undefined {
  try {
    return open(line).nextRun() ? undefined : 'must name a time that comes'
  } catch {
    return 'must be a time of five fields as crontab writes it, such as "30 3 * * *"'
  }
}

/** The next time after `now`, both in ms since 1970; undefined: none comes any more. */
export function nextTime(line: string, now: number): number | undefined {
  return open(line).nextRun(new Date(now))?.getTime()
}

function open(line: string): Cron {
  return new Cron(line, { timezone: 'UTC', mode: '5-part', paused: true })
}

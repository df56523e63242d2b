/**
 * Times as people write them: `2026-11-20`, `2026-11-20 14:05`, `20 Nov 2026`, `2 days ago`, `yesterday`, Unix seconds. What
 * names no zone is UTC, as everything that a librarian says.
 */
import { FIRST_INSTANT, type Instant, instantOf, LAST_INSTANT, LibrarianError } from '@arriero/api'

/** Options of `parseTime()`. */
export interface ParseTimeOptions {
  /** Milliseconds since 1970: what `ago` counts from. */
  readonly now: number
  /** What a day without a time means: its first instant, or its last. Default `start`. */
  readonly day?: 'start' | 'end'
}

/** A time as people write it: `2026-11-20`, `yesterday`, `2 days ago`; UTC where no zone is said. */
export function parseTime(text: string, { now, day = 'start' }: ParseTimeOptions): Instant {
  const said = text.trim().toLowerCase().replace(/\s+/g, ' ')
  const found = relative(said, now, day) ?? numeric(said) ?? absolute(said, now, day)
  if (found !== undefined && found > FIRST_INSTANT && found <= LAST_INSTANT) return found
  throw new LibrarianError('BadRequest', `Cannot read the time '${text}'.`, {
    remedy: 'Write it as 2026-11-20, 2026-11-20T14:05, 20 Nov 2026, yesterday or 2 days ago.',
  })
}

const DAY = 86_400_000

const unitMs: Readonly<Record<string, number>> = {
  second: 1000,
  sec: 1000,
  s: 1000,
  minute: 60_000,
  min: 60_000,
  m: 60_000,
  hour: 3_600_000,
  h: 3_600_000,
  day: DAY,
  d: DAY,
  week: 7 * DAY,
  w: 7 * DAY,
}

function relative(said: string, now: number, day: 'start' | 'end'): Instant | undefined {
  if (said === 'now') return instantOf(new Date(now))
  if (said === 'today') return edgeOf(new Date(now), day)
  if (said === 'yesterday') return edgeOf(new Date(now - DAY), day)
  const match = /^(\d+(?:\.\d+)?|an?) ?([a-z]+?)s? ago$/.exec(said)
  if (!match) return undefined
  const n = /^an?$/.test(match[1]!) ? 1 : Number(match[1])
  const unit = match[2]!
  if (unit === 'month' || unit === 'mo') return monthsBefore(now, n)
  if (unit === 'year' || unit === 'y') return monthsBefore(now, n * 12)
  const ms = unitMs[unit]
  return ms === undefined ? undefined : safeInstant(now - n * ms)
}

function monthsBefore(now: number, months: number): Instant | undefined {
  if (!Number.isInteger(months)) return undefined
  const from = new Date(now)
  const then = new Date(now)
  then.setUTCDate(1)
  then.setUTCMonth(from.getUTCMonth() - months)
  // The 31st of a month that has 30 days is its last.
  const last = new Date(Date.UTC(then.getUTCFullYear(), then.getUTCMonth() + 1, 0)).getUTCDate()
  then.setUTCDate(Math.min(from.getUTCDate(), last))
  return safeInstant(then.getTime())
}

/** Unix seconds, or milliseconds where seconds would be beyond the year 2600 (librarian 4.4). */
function numeric(said: string): Instant | undefined {
  if (!/^\d{9,}(\.\d+)?$/.test(said)) return undefined
  const n = Number(said)
  return safeInstant(n > 2e10 ? n : n * 1000)
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const monthName = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?'
const clock = '(?:(?:[t ]|, )(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,9}))?)?)?'
const zone = '(?: ?(z|utc|gmt|[+-]\\d{2}:?\\d{2}))?'

const forms: readonly { readonly pattern: RegExp; readonly order: 'ymd' | 'dmy' | 'mdy' }[] = [
  { pattern: new RegExp(`^(\\d{4})[-/](\\d{1,2})[-/](\\d{1,2})${clock}${zone}$`), order: 'ymd' },
  { pattern: new RegExp(`^(\\d{4})(\\d{2})(\\d{2})${clock}${zone}$`), order: 'ymd' },
  { pattern: new RegExp(`^(\\d{1,2})[ -]${monthName},?[ -](\\d{4})${clock}${zone}$`), order: 'dmy' },
  { pattern: new RegExp(`^${monthName} (\\d{1,2}),? (\\d{4})${clock}${zone}$`), order: 'mdy' },
]

function absolute(said: string, now: number, day: 'start' | 'end'): Instant | undefined {
  // A time alone is today's.
  const whole = /^\d{1,2}:\d{2}/.test(said) ? `${new Date(now).toISOString().slice(0, 10)} ${said}` : said
  for (const { pattern, order } of forms) {
    const match = pattern.exec(whole)
    if (match) return fromParts(match, order, day)
  }
  return undefined
}

function fromParts(match: RegExpExecArray, order: 'ymd' | 'dmy' | 'mdy', day: 'start' | 'end'): Instant | undefined {
  const [, a, b, c, hour, minute, second, fraction, offset] = match as unknown as string[]
  const [year, month, date] = order === 'ymd' ? [a, b, c] : order === 'dmy' ? [c, b, a] : [c, a, b]
  const monthNumber = /^\d+$/.test(month!) ? Number(month) : months.indexOf(month!.slice(0, 3)) + 1
  const at = new Date(0)
  at.setUTCFullYear(Number(year), monthNumber - 1, Number(date))
  // `2026-02-30` is no day.
  if (at.getUTCMonth() !== monthNumber - 1 || at.getUTCDate() !== Number(date)) return undefined
  if (hour === undefined) return edgeOf(at, day)
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return undefined
  at.setUTCHours(Number(hour), Number(minute), Number(second ?? 0))
  const micros = (fraction ?? '').padEnd(6, '0').slice(0, 6)
  const shifted = safeInstant(at.getTime() - offsetMs(offset))
  return shifted?.replace(/\.\d+Z$/, `.${micros}Z`)
}

function offsetMs(offset: string | undefined): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(offset ?? '')
  if (!match) return 0
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000
}

function edgeOf(date: Date, day: 'start' | 'end'): Instant | undefined {
  const midnight = safeInstant(date.getTime())?.slice(0, 10)
  return midnight && `${midnight}T${day === 'start' ? '00:00:00.000000' : '23:59:59.999999'}Z`
}

/** Undefined where four digits do not hold the year. */
function safeInstant(ms: number): Instant | undefined {
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  return Number.isNaN(year) || year < 1 || year > 9999 ? undefined : instantOf(date)
}

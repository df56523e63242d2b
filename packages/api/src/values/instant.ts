/**
 * Times. Inside, an instant is text in UTC with six decimals, `2026-11-20T22:03:37.619866Z`: it sorts as text, and a
 * microsecond is not lost. On the wire it has no zone, and no decimals when they are zero (librarian 4.4).
 */
export type Instant = string

/** Where open windows begin and end. */
export const FIRST_INSTANT: Instant = '0001-01-01T00:00:00.000000Z'
/** The last time that an instant can tell. */
export const LAST_INSTANT: Instant = '9999-12-31T23:59:59.999999Z'

/** Beyond this a number counts milliseconds, in magnitude. */
const MOST_SECONDS = 20_000_000_000

const numeric = /^([+-]?)(\d+)(?:\.(\d*))?$/

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt _](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:\s?(?:([Zz])|([+\-\u2212])(\d\d)(?::?(\d\d))?))?)?$/

/** Now, by this machine's clock: for what no decision depends on. */
export function instantOf(date: Date): Instant {
  return `${date.toISOString().slice(0, -1)}000Z`
}

/**
 * Every form that requests may carry: ISO 8601 with or without zone, a date only, Unix seconds or, beyond 2·10¹⁰,
 * milliseconds, as number or digits. Zoned times become UTC; a time without zone is UTC; decimals beyond six are cut.
 * Undefined: it is none of them, or lies outside the years 1 to 9999.
 */
export function parseInstant(value: string | number): Instant | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? ofNumber(value) : undefined
  const text = value.trim()
  const digits = numeric.exec(text)
  return digits ? ofDigits(digits) : ofIso(iso.exec(text))
}

/** As answers carry it. */
export function toNaive(instant: Instant): string {
  return instant.replace(/(\.0+)?Z$/, '')
}

/** Milliseconds since 1970; microseconds are cut. */
export function millisecondsOf(instant: Instant): number {
  return Date.parse(`${instant.slice(0, 23)}Z`)
}

function ofNumber(value: number): Instant | undefined {
  const unit = Math.abs(value) > MOST_SECONDS ? 1000 : 1
  const whole = Math.floor(value / unit)
  // The rest before the division: its quotient would lose the last digits.
  return fromParts(whole, Math.round((value - whole * unit) * (1_000_000 / unit)))
}

/** Digits are read as text: a double has too few bits for the microseconds of large numbers. */
function ofDigits([, sign, whole, fraction = '']: RegExpExecArray): Instant | undefined {
  // Anything longer lies far outside the years.
  if (whole!.length > 18) return undefined
  const micros = BigInt(whole! + fraction.padEnd(6, '0').slice(0, 6))
  const isMilliseconds = micros > BigInt(MOST_SECONDS) * 1_000_000n
  const signed = (sign === '-' ? -1n : 1n) * (isMilliseconds ? micros / 1000n : micros)
  const rest = ((signed % 1_000_000n) + 1_000_000n) % 1_000_000n
  return fromParts(Number((signed - rest) / 1_000_000n), Number(rest))
}

function ofIso(found: RegExpExecArray | null): Instant | undefined {
  if (!found) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', , sign, zoneHour, zoneMinute] =
    found
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const isDate = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  if (!isDate || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const offset = zoneOffset(sign, zoneHour, zoneMinute)
  if (offset === undefined) return undefined
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  return fromParts(date.getTime() / 1000 - offset, Number(fraction.padEnd(6, '0').slice(0, 6)))
}

/** Seconds east of UTC; undefined where there is no such zone. */
function zoneOffset(sign = '+', hour = '0', minute = '0'): number | undefined {
  if (Number(hour) > 23 || Number(minute) > 59) return undefined
  return (sign === '+' ? 1 : -1) * (Number(hour) * 3600 + Number(minute) * 60)
}

function fromParts(seconds: number, microseconds: number): Instant | undefined {
  const carried = microseconds === 1_000_000
  const date = new Date((carried ? seconds + 1 : seconds) * 1000)
  const year = date.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) return undefined
  const decimals = String(carried ? 0 : microseconds).padStart(6, '0')
  return `${date.toISOString().slice(0, 19)}.${decimals}Z`
}

/** Lengths of time as settings write them (librarian 4.5). Inside, they are seconds. */

const clock = String.raw`(\d+):([0-5]?\d)(?::([0-5]?\d(?:\.\d+)?))?`
const clockOnly = new RegExp(`^${clock}$`)
const days = new RegExp(String.raw`^(\d+(?:\.\d+)?)\s*d(?:ays?)?(?:\s*,?\s*${clock})?$`, 'i')
const isoForm =
  /^P(?=\d|T\d)(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i

/** Years and months have these many days, as in the settings of old. */
const isoSeconds = [365 * 86_400, 30 * 86_400, 7 * 86_400, 86_400, 3600, 60, 1]

/**
 * Seconds of `HH:MM:SS`, `HH:MM` (hours may exceed 23), `D days, HH:MM:SS`, `Nd`, ISO 8601, or a number of seconds.
 * Undefined: it is none of them. A number in quotes is none: nobody could tell its unit.
 */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return ofClock(clockOnly.exec(text)) ?? ofDays(days.exec(text)) ?? ofIso(isoForm.exec(text))
}

function ofClock(found: RegExpExecArray | null): number | undefined {
  return found ? clockSeconds(found[1], found[2], found[3]) : undefined
}

function ofDays(found: RegExpExecArray | null): number | undefined {
  return found ? Number(found[1]) * 86_400 + clockSeconds(found[2], found[3], found[4]) : undefined
}

function ofIso(found: RegExpExecArray | null): number | undefined {
  if (!found) return undefined
  return isoSeconds.reduce((sum, unit, index) => sum + unit * Number(found[index + 1] ?? 0), 0)
}

function clockSeconds(hours = '0', minutes = '0', seconds = '0'): number {
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** Durations as settings write them (librarian 4.5). */
import { z } from 'zod'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const clock = /^(?:(\d+)\s*(?:d|days?),?\s+)?(\d+):([0-5]?\d)(?::([0-5]?\d(?:\.\d+)?))?$/i
const days = /^(\d+(?:\.\d+)?)\s*(?:d|days?)$/i
const iso =
  /^P(?=.)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=.)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i

/** Milliseconds; undefined for anything else. A number in quotes is none. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * second : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  const sum = (match: RegExpExecArray, units: readonly number[]) =>
    units.reduce((total, unit, at) => total + Number(match[at + 1] ?? 0) * unit, 0)
  const found = [
    [clock, [day, hour, minute, second]],
    [days, [day]],
    [iso, [7 * day, day, hour, minute, second]],
  ] as const
  for (const [pattern, units] of found) {
    const match = pattern.exec(text)
    if (match) return sum(match, units)
  }
  return undefined
}

/** In milliseconds. */
export const duration = z.unknown().transform((value, context) => {
  const parsed = parseDuration(value)
  if (parsed !== undefined) return parsed
  context.addIssue('must be a duration: seconds as a number, HH:MM:SS, "N days", or ISO 8601 such as PT1H')
  return z.NEVER
})

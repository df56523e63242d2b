import { parseHttpDate } from './http-date.ts'

/**
 * When a server wants to be asked again, milliseconds since 1970 (RFC 9110, 10.2.3): seconds from now, or a date.
 * A date is taken relative to the server's own clock when the answer has a Date, because clocks differ.
 */
export function retryAfter(
  value: string | undefined,
  now: number,
  serverDate?: number | undefined,
): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d{1,12}$/.test(text)) return now + Number(text) * 1000
  const date = parseHttpDate(text)
  if (date === undefined) return undefined
  return Math.max(now, serverDate === undefined ? date : now + (date - serverDate))
}

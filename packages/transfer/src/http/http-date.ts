const IMF = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
const RFC_850 = /^[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/** One of the three date forms of HTTP (RFC 9110, 5.6.7) as milliseconds since 1970; anything else is undefined. */
export function parseHttpDate(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  // asctime has no zone; HTTP says it is UTC, Date.parse would say it is ours.
  const text = ASCTIME.test(value) ? `${value} GMT` : value
  if (text === value && !IMF.test(value) && !RFC_850.test(value)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

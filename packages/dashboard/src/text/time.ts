/** Times and spans as people read them. Everything is UTC: whoever is on shift compares with logs. */

/** Milliseconds since 1970 of a time of the wire, which is UTC with or without its zone. */
export function parseTime(text: string): number {
  return Date.parse(`${text.replace(/Z$/, '').slice(0, 23)}Z`)
}

/** `2026-11-20 22:03 UTC`; with seconds where `precise`. */
export function formatTime(ms: number, { precise = false } = {}): string {
  if (Number.isNaN(ms)) return 'unknown time'
  const text = new Date(ms).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, precise ? 19 : 16)} UTC`
}

/** Two units at most, the second with two figures: `0 s`, `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h`, `410 d`. */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  if (total < 60) return `${total} s`
  if (total < 3600) return `${Math.floor(total / 60)} min ${two(total % 60)} s`
  const minutes = Math.floor(total / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
  const days = Math.floor(minutes / 1440)
  return days < 100 ? `${days} d ${two(Math.floor((minutes % 1440) / 60))} h` : `${days} d`
}

/** One unit: `just now`, `40 s ago`, `3 min ago`, `in 2 h`, `5 d ago`. */
export function formatAgo(ms: number, now: number): string {
  if (Number.isNaN(ms)) return ''
  const seconds = Math.round((now - ms) / 1000)
  const span = oneUnit(Math.abs(seconds))
  // What has just happened may be ahead: pages look at their clock every ten seconds, and no two clocks agree.
  if (seconds > -20 && seconds < 5) return 'just now'
  return seconds > 0 ? `${span} ago` : `in ${span}`
}

function oneUnit(seconds: number): string {
  if (seconds < 90) return `${seconds} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

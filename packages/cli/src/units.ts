/** Sizes, rates and times as people write and read them. */
import { ProgramError } from './errors.ts'

const factors: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
}

/** `8MiB`, `8M`, `8m` and `8388608` are the same; `8MB` is 8,000,000. */
export function parseSize(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = factors[match?.[2]?.toLowerCase() ?? 'none']
  if (!match || factor === undefined) {
    throw new ProgramError('Usage', `${flag} takes a size such as 8MiB, 500k or 1048576, not '${text}'.`)
  }
  const bytes = Math.round(Number(match[1]) * factor)
  if (!Number.isSafeInteger(bytes)) throw new ProgramError('Usage', `${flag} is too large: '${text}'.`)
  return bytes
}

/** Like a size, per second; `/s` may be written. */
export function parseRate(text: string, flag: string): number {
  return parseSize(text.replace(/\/s$/i, ''), flag)
}

/** A size of which nothing would make no sense. */
export function parsePositiveSize(text: string, flag: string): number {
  const bytes = parseSize(text, flag)
  if (bytes === 0) throw new ProgramError('Usage', `${flag} must be more than 0.`)
  return bytes
}

const seconds: Readonly<Record<string, number>> = { '': 1, s: 1, ms: 0.001, m: 60, min: 60, h: 3600 }

/** Seconds when no unit is written; gives ms. */
export function parseDuration(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = seconds[match?.[2]?.toLowerCase() ?? 'none']
  if (!match || factor === undefined) {
    throw new ProgramError('Usage', `${flag} takes seconds, or a time such as 500ms, 30s or 5m, not '${text}'.`)
  }
  const ms = Math.round(Number(match[1]) * factor * 1000)
  if (ms <= 0) throw new ProgramError('Usage', `${flag} must be more than 0.`)
  // Timers cannot wait longer than this; nobody would notice the difference.
  return Math.min(ms, 2 ** 31 - 1)
}

export function parseCount(text: string, flag: string, least = 1): number {
  const n = Number(text)
  if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(n) || n < least) {
    throw new ProgramError('Usage', `${flag} takes a whole number of at least ${least}, not '${text}'.`)
  }
  return n
}

const prefixes = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** Binary prefixes, three to four figures: `0 B`, `999 B`, `13.0 MiB`, `1.50 GiB`. */
export function formatSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < prefixes.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${value.toFixed(digits)} ${prefixes[unit]}`
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`
}

/** `0.35 s`, `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h`. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(ms < 995 ? 2 : 1)} s`
  const total = Math.round(ms / 1000)
  if (total < 60) return `${total} s`
  const two = (n: number) => String(n).padStart(2, '0')
  if (total < 3600) return `${Math.floor(total / 60)} min ${two(total % 60)} s`
  const minutes = Math.floor(total / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
  return `${Math.floor(minutes / 1440)} d ${two(Math.floor((minutes % 1440) / 60))} h`
}

/** For a bar, always at most eight columns: `0:07`, `12:45`, `3:07:12`, `4d 07h`. */
export function formatClock(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const [days, hours, minutes] = [Math.floor(total / 86_400), Math.floor(total / 3600), Math.floor(total / 60)]
  if (days > 999) return '>999d'
  if (days > 0) return `${days}d ${two(hours % 24)}h`
  if (hours > 0) return `${hours}:${two(minutes % 60)}:${two(total % 60)}`
  return `${minutes}:${two(total % 60)}`
}

/** When a log file is put aside and a new one begun, as settings of existing servers say it (librarian 13, 16). */
import { LibrarianError } from '@arriero/api'

export type Rotation =
  | { readonly by: 'size'; readonly bytes: number }
  /** So long after the file was begun. */
  | { readonly by: 'age'; readonly ms: number }
  /** The next such moment after the file was begun, UTC. */
  | {
      readonly by: 'clock'
      readonly every: 'hour' | 'day' | 'week' | 'month' | 'year'
      readonly day: number
      readonly minute: number
    }

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }
const binaryUnits: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

const second = 1000
const day = 86_400 * second
const ages: readonly (readonly [RegExp, number])[] = [
  [/^(s|sec|seconds?)$/, second],
  [/^(min|minutes?)$/, 60 * second],
  [/^(h|hours?)$/, 3600 * second],
  [/^(d|days?)$/, day],
  [/^(w|weeks?)$/, 7 * day],
  [/^(months?)$/, 30 * day],
  [/^(y|years?)$/, 365 * day],
]

const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const midnight = { by: 'clock', day: 0, minute: 0 } as const

/** @throws `Configuration` */
export function parseRotation(text: string): Rotation {
  const plain = text.trim().toLowerCase()
  const found = sizeOf(plain) ?? ageOf(plain) ?? frequencyOf(plain) ?? momentOf(plain)
  if (found) return found
  throw new LibrarianError('Configuration', `Cannot use log_settings.files: ${JSON.stringify(text)} is no rotation`, {
    remedy:
      'Write a size ("500 MB"), an age ("1 week"), hourly, daily, weekly, monthly, or a time ("00:00", "sunday at 03:00").',
  })
}

function sizeOf(text: string): Rotation | undefined {
  const [, number, unit = '', i] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b$/.exec(text) ?? []
  if (number === undefined) return undefined
  const factor = (i ? binaryUnits : units)[unit]
  const bytes = Math.floor(Number(number) * (factor ?? Number.NaN))
  return bytes > 0 ? { by: 'size', bytes } : undefined
}

function ageOf(text: string): Rotation | undefined {
  let ms = 0
  let rest = text
  for (let part = next(rest); part; part = next(rest)) {
    const unit = ages.find(([pattern]) => pattern.test(part![2]!))?.[1]
    if (unit === undefined) return undefined
    ms += Number(part[1]) * unit
    rest = rest.slice(part[0].length)
  }
  return rest === '' && ms >= second ? { by: 'age', ms } : undefined
}

function next(text: string): RegExpExecArray | null {
  return /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*,?/.exec(text)
}

function frequencyOf(text: string): Rotation | undefined {
  const every = ({ hourly: 'hour', daily: 'day', weekly: 'week', monthly: 'month', yearly: 'year' } as const)[text]
  return every && { ...midnight, every, day: every === 'week' ? 1 : 0 }
}

function momentOf(text: string): Rotation | undefined {
  const [, name, hours, minutes] = /^(?:([a-z]+)(?:\s+at\s+)?)?(?:(\d{1,2}):(\d\d))?$/.exec(text) ?? []
  const weekday = name === undefined ? -1 : days.indexOf(name)
  if ((name !== undefined && weekday === -1) || (name === undefined && hours === undefined)) return undefined
  const minute = Number(hours ?? 0) * 60 + Number(minutes ?? 0)
  if (Number(hours ?? 0) > 23 || Number(minutes ?? 0) > 59) return undefined
  return { by: 'clock', every: weekday === -1 ? 'day' : 'week', day: Math.max(0, weekday), minute }
}

/**
 * When a file that was begun at a moment is put aside; undefined: by its size.
 *
 * @param begun ms since 1970
 */
export function endOf(rotation: Rotation, begun: number): number | undefined {
  if (rotation.by === 'size') return undefined
  if (rotation.by === 'age') return begun + rotation.ms
  const { every, day: weekday, minute } = rotation
  const at = new Date(begun)
  const [year, month, date] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()]
  if (every === 'hour') return Date.UTC(year, month, date, at.getUTCHours() + 1)
  if (every === 'month') return Date.UTC(year, month + 1, 1)
  if (every === 'year') return Date.UTC(year + 1, 0, 1)
  const today = Date.UTC(year, month, date) + minute * 60_000
  const away = every === 'week' ? (weekday - at.getUTCDay() + 7) % 7 : 0
  const found = today + away * day
  return found > begun ? found : found + (every === 'week' ? 7 : 1) * day
}

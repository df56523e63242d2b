/** Directories as servers write them down: MLSD (RFC 3659, 7), LIST as Unix and DOS do, NLST. */
import { type FileInfo, parseList } from 'basic-ftp'
import { parseTimestamp } from './facts.ts'
import { textOf } from './reply.ts'

/** `unknown`: only asking for it tells. `self` is the directory that is listed. */
export type EntryKind = 'file' | 'directory' | 'link' | 'other' | 'unknown' | 'self'

export interface Entry {
  /** Bytes, one per character. */
  readonly name: string
  readonly kind: EntryKind
  readonly size?: number | undefined
  /** Milliseconds since 1970. */
  readonly lastModified?: number | undefined
  /** Two names of one thing have the same. */
  readonly unique?: string | undefined
}

/** A line that is none of what this form of listing consists of. */
export class NotUnderstood extends Error {
  constructor(line: string) {
    super(`the line ${JSON.stringify(textOf(line).slice(0, 200))}`)
  }
}

/** `type=file;size=12;modify=20240229123456; name` */
export function parseMlsd(text: string): Entry[] {
  return linesOf(text).map(line => {
    const at = line.indexOf(' ')
    const packed = line.slice(0, at)
    const name = line.slice(at + 1)
    if (at < 0 || name === '' || (packed !== '' && !packed.endsWith(';'))) throw new NotUnderstood(line)
    const facts = new Map(
      packed
        .split(';')
        .slice(0, -1)
        .map(fact => [fact.slice(0, fact.indexOf('=')).toLowerCase(), fact.slice(fact.indexOf('=') + 1)]),
    )
    const size = facts.get('size')
    return {
      name,
      kind: kindOf(facts.get('type')),
      size: size !== undefined && /^\d{1,16}$/.test(size) ? Number(size) : undefined,
      lastModified: parseTimestamp(facts.get('modify') ?? ''),
      unique: facts.get('unique'),
    }
  })
}

function kindOf(type: string | undefined): EntryKind {
  switch (type?.toLowerCase().split(':', 1)[0]) {
    case undefined:
      return 'unknown'
    case 'file':
      return 'file'
    case 'dir':
      return 'directory'
    case 'cdir':
      return 'self'
    case 'os.unix=slink':
    case 'os.unix=symlink':
      return 'link'
    default:
      return 'other'
  }
}

/** `ls -l` in the forms of many systems, and DOS. Throws NotUnderstood at the first line that is neither. */
export function parseLongList(text: string, now: number): Entry[] {
  return linesOf(text).flatMap(line => (/^total\b/i.test(line) ? [] : parseLongLine(line, now)))
}

function parseLongLine(line: string, now: number): Entry[] {
  const shown = textOf(line)
  const toBytes = (name: string) => (shown === line ? name : Buffer.from(name, 'utf8').toString('latin1'))
  let found: FileInfo[]
  try {
    found = parseList(shown)
  } catch {
    throw new NotUnderstood(line)
  }
  const [info] = found
  if (!info) return []
  // Taken for a form that has no dates.
  if (info.rawModifiedAt === '') throw new NotUnderstood(line)
  const kind = /^[\s\d]*[bcps]/.test(line)
    ? 'other'
    : info.isDirectory
      ? 'directory'
      : info.isSymbolicLink
        ? 'link'
        : 'file'
  const isFile = kind === 'file'
  return [
    {
      name: toBytes(info.name),
      kind,
      size: isFile && Number.isSafeInteger(info.size) ? info.size : undefined,
      lastModified: isFile ? parseListTime(info.rawModifiedAt, now) : undefined,
    },
  ]
}

/** Names only, or paths. */
export function parseNames(text: string): Entry[] {
  return linesOf(text).map(line => ({ name: line.slice(line.lastIndexOf('/') + 1), kind: 'unknown' as const }))
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAY_MS = 86_400_000

/**
 * `Nov 21 05:55`, `Nov 21 2025`, `21 Nov 2025`, `2025-11-21 05:55`, `11-21-25 05:55PM`. No listing says in which zone it
 * is: UTC is assumed, as good servers do.
 */
export function parseListTime(text: string, now: number): number | undefined {
  const iso = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2}) (\d{1,2}):(\d\d)$/.exec(text)
  if (iso) return utc(iso.slice(1).map(Number))
  const dos = /^(\d{1,2})-(\d{1,2})-(\d{2}|\d{4}) +(\d{1,2}):(\d\d)\s*([AP]M?)?$/i.exec(text)
  if (dos) return dosTime(dos)
  const unix = /^(?:([a-z]{3})\s+(\d{1,2})|(\d{1,2})\s+([a-z]{3})) (?:(\d{1,2}):(\d\d)|(\d{4}))$/i.exec(text)
  if (!unix) return undefined
  const month = MONTHS.indexOf((unix[1] ?? (unix[4] as string)).toLowerCase()) + 1
  const day = Number(unix[2] ?? unix[3])
  if (month === 0) return undefined
  if (unix[7] !== undefined) return utc([Number(unix[7]), month, day, 0, 0])
  // Without a year it is the last such day; a clock may be a day ahead.
  const year = new Date(now).getUTCFullYear()
  const [hour, minute] = [Number(unix[5]), Number(unix[6])]
  const time = utc([year, month, day, hour, minute])
  return time !== undefined && time > now + DAY_MS ? utc([year - 1, month, day, hour, minute]) : time
}

function dosTime(match: RegExpExecArray): number | undefined {
  const [month, day, short, clock, minute] = match.slice(1, 6).map(Number) as [number, number, number, number, number]
  const half = match[6]?.[0]?.toUpperCase()
  const hour = half === undefined ? clock : (clock % 12) + (half === 'P' ? 12 : 0)
  const year = short > 99 ? short : short + (short < 70 ? 2000 : 1900)
  return utc([year, month, day, hour, minute])
}

function utc([year = 0, month = 0, day = 0, hour = 0, minute = 0]: readonly number[]): number | undefined {
  const time = Date.UTC(year, month - 1, day, hour, minute)
  return new Date(time).getUTCMonth() === month - 1 ? time : undefined
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter(line => line !== '')
}

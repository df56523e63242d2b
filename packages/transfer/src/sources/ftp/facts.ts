/** What a server says of a file without sending it (RFC 3659). */
import type { Resource } from '../../resource.ts'
import { changed } from '../local-answer.ts'
import { refusal } from './failure.ts'
import type { Reply } from './reply.ts'
import type { Session } from './session.ts'

export interface FileFacts {
  readonly size: number | undefined
  /** Milliseconds since 1970. */
  readonly lastModified: number | undefined
}

/** By SIZE and MDTM. A server that tells neither may still have the file. */
export async function askFacts(session: Session, path: string, signal: AbortSignal): Promise<FileFacts> {
  const size = await askSize(session, path, signal)
  return { size, lastModified: await askTime(session, path, signal) }
}

/** Milliseconds since 1970, or undefined. */
export async function askTime(session: Session, path: string, signal: AbortSignal): Promise<number | undefined> {
  const reply = orLater(session, await session.ask(`MDTM ${path}`, signal), 'MDTM')
  return reply.code === 213 ? parseTimestamp(reply.lines.join(' ')) : undefined
}

/** Bytes, or undefined: not a file, not there, or not to be had this way. */
export async function askSize(session: Session, path: string, signal: AbortSignal): Promise<number | undefined> {
  const reply = orLater(session, await session.ask(`SIZE ${path}`, signal), 'SIZE')
  if (reply.code !== 213) return undefined
  const digits = /^\s*(\d{1,16})\s*$/.exec(reply.lines.join(' '))?.[1]
  const size = Number(digits)
  return Number.isSafeInteger(size) ? size : undefined
}

/** Rejects what contradicts earlier answers. */
export function refuseOther(expected: Pick<Resource, 'size' | 'lastModified'>, now: FileFacts, uri: string): void {
  if (expected.size !== undefined && now.size !== undefined && expected.size !== now.size) {
    throw changed(uri, `its size was ${expected.size} and is ${now.size} now`)
  }
  if (expected.lastModified === undefined || now.lastModified === undefined) return
  if (expected.lastModified !== now.lastModified) throw changed(uri, 'it was modified since')
}

/** `20240229123456.789`, always UTC (RFC 3659, 2.3); undefined for anything else. */
export function parseTimestamp(text: string): number | undefined {
  const match = /^\s*(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?\s*$/.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, ...number[]]
  const ms = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000)
  const time = Date.UTC(year, (month as number) - 1, day, hour, minute, second, ms)
  return new Date(time).getUTCMonth() === (month as number) - 1 ? time : undefined
}

/** "Later" and "good-bye" are failures, a no is not. */
function orLater(session: Session, reply: Reply, asked: string): Reply {
  if (reply.code >= 400 && reply.code < 500) throw refusal(reply, { uri: session.control.uri, asked })
  return reply
}

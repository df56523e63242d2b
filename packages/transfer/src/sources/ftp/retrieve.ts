/**
 * One RETR (RFC 959, 3659; retrieval 14):
 *
 *     SIZE, MDTM     must agree with earlier answers
 *     EPSV or PASV   the data connection stands
 *     REST n         if the bytes begin in the middle
 *     RETR           1xx: the head of the answer is known
 *     data           all but the last byte land
 *     226 …          at the end of the file it must come; before it, any reply will do
 *     MDTM           still the same: only now the last byte lands, and with it the part is complete
 *
 * FTP has no end offset: the data connection is closed when enough has come.
 */
import type { Socket } from 'node:net'
import { TransferError } from '../../errors.ts'
import { cutError, networkError, timeoutError } from '../../http/network-error.ts'
import { pour } from '../../http/pour.ts'
import type { Resource } from '../../resource.ts'
import type { FetchRequest, Landing } from '../../source.ts'
import { boundsOf } from '../local-answer.ts'
import { type DataEnd, DataStream, Silence } from './data-stream.ts'
import { askFacts, askSize, askTime, type FileFacts, refuseOther } from './facts.ts'
import { isUnknownCommand, refusal } from './failure.ts'
import { openData } from './passive.ts'
import { type FtpPool, SETTLE_MS } from './pool.ts'
import type { Reply } from './reply.ts'
import type { Session } from './session.ts'

export interface Target {
  readonly pool: FtpPool
  readonly session: Session
  /** Bytes, one per character. */
  readonly path: string
  /** Redacted, for messages. */
  readonly uri: string
  /** File name for results. */
  readonly name: string | undefined
}

/** What is to be poured. */
interface Wanted {
  readonly start: number
  /** Undefined: to the end, wherever that is. */
  readonly end: number | undefined
  readonly isToEnd: boolean
}

/** Learns about a file without taking it. Servers that tell neither size nor time are asked to send it, and cut off. */
export async function describeFile(target: Target, signal: AbortSignal): Promise<Resource> {
  const { session, path } = target
  await session.enter(undefined, signal)
  const facts = await askFacts(session, path, signal)
  if (facts.size === undefined && facts.lastModified === undefined) {
    const { socket } = await begin(target, facts, 0, signal)
    socket.destroy()
  }
  return resourceOf(target, facts)
}

/** One attempt to fetch. The connection may be left in the middle of a transfer: its pool settles that. */
export async function retrieve(target: Target, request: FetchRequest): Promise<void> {
  const { session, path, uri, pool } = target
  const { expected, signal, range } = request
  await session.enter(undefined, signal)
  const facts = await askFacts(session, path, signal)
  if (expected) refuseOther(expected, facts, uri)
  if (range && facts.size !== undefined && range.start === 0 && range.end < facts.size)
    await learnRestart(target, signal)
  const resource = resourceOf(target, facts)
  const wanted = wantedOf(request, resource, uri)
  const answer = {
    resource,
    start: wanted.start,
    end: wanted.end,
    framing: wanted.end === undefined ? 'chunked' : 'length',
  } as const
  if (wanted.start > 0 && wanted.start === wanted.end) {
    request.answered(answer)
    return
  }
  const { stream } = await begin(target, facts, wanted.start, signal)
  try {
    const landing = request.answered(answer)
    const count = (wanted.end ?? Number.POSITIVE_INFINITY) - wanted.start
    const { idleMs } = pool.timeouts
    const ended = await stream.pour(landing, { count, isToEnd: wanted.isToEnd, idleMs, signal }).catch(error => {
      throw brokenOff(error, target)
    })
    await conclude(target, facts, ended, landing, signal)
  } finally {
    stream.destroy()
  }
}

/** What the server says of the transfer, and the last byte if all is well. */
async function conclude(
  target: Target,
  facts: FileFacts,
  ended: DataEnd,
  landing: Landing,
  signal: AbortSignal,
): Promise<void> {
  const { kind, last, missing } = ended
  const { session, uri, path } = target
  switch (kind) {
    case 'unwanted':
      return
    case 'enough':
      if (await isSettled(session, signal)) await holdVersion(target, facts, signal)
      break
    case 'excess': {
      if (await isSettled(session, signal)) refuseOther(facts, await askFacts(session, path, signal), uri)
      const what = `Cannot trust the answer for ${uri}: the server sent more than the ${facts.size} bytes it had told`
      throw new TransferError('Protocol', what, { url: uri })
    }
    case 'ended': {
      const reply = await session.reply(signal)
      if (reply.code < 200 || reply.code >= 300) throw refusal(reply, { uri, asked: 'RETR', exists: true })
      const isShort = missing > 0 && missing !== Number.POSITIVE_INFINITY
      if (isShort) {
        refuseOther(facts, await askFacts(session, path, signal), uri)
        throw cutError(session.control.where, uri, missing)
      }
      await holdVersion(target, facts, signal)
    }
  }
  if (last !== undefined && !landing.isComplete) await pour(landing, Uint8Array.of(last), signal)
}

/** A part of a file that is rewritten meanwhile must not be taken for one of the old file. */
async function holdVersion({ session, path, uri }: Target, facts: FileFacts, signal: AbortSignal): Promise<void> {
  if (facts.lastModified !== undefined) {
    refuseOther(facts, { size: undefined, lastModified: await askTime(session, path, signal) }, uri)
  } else if (facts.size !== undefined) {
    refuseOther(facts, { size: await askSize(session, path, signal), lastModified: undefined }, uri)
  }
}

/** After the data connection was closed early: 226, 426 and 451 all say the same. False: no reply in time. */
async function isSettled(session: Session, signal: AbortSignal): Promise<boolean> {
  try {
    await session.reply(signal, SETTLE_MS)
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TransferError) return false
    throw error
  }
}

interface Begun {
  readonly stream: DataStream
  readonly socket: Socket
}

/** Until the server says that bytes come. */
async function begin(target: Target, facts: FileFacts, start: number, signal: AbortSignal): Promise<Begun> {
  const { session, path, pool, uri } = target
  const stream = new DataStream()
  const socket = await openData(session.control, {
    habit: pool.habits,
    isSecure: pool.isDataSecure,
    connectMs: pool.timeouts.connectMs,
    onread: stream.onread,
    signal,
  })
  stream.attach(socket)
  try {
    if (start > 0) await restartAt(target, start, signal)
    const reply = await session.ask(`RETR ${path}`, signal)
    if (reply.code >= 200) throw refusal(reply, { uri, asked: 'RETR', exists: facts.size !== undefined })
    session.isMarked = false
    return { stream, socket }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

async function restartAt({ session, pool, uri }: Target, start: number, signal: AbortSignal): Promise<void> {
  session.isMarked = true
  const reply = await session.ask(`REST ${start}`, signal)
  if (reply.code === 350) {
    noteRestart(pool, 'yes')
    return
  }
  session.isMarked = false
  if (!refusesRestart(reply)) throw refusal(reply, { uri, asked: 'REST' })
  noteRestart(pool, 'no')
  throw noRanges(uri)
}

/**
 * Once per server, before a first part: whether a transfer may begin in the middle. What FEAT says of it may be wrong, and
 * who hears of that only with the second part may have handed on the first.
 */
async function learnRestart({ session, pool }: Target, signal: AbortSignal): Promise<void> {
  if (pool.habits.isRestartTried) return
  const reply = await session.ask('REST 1', signal)
  if (reply.code === 350) {
    session.isMarked = true
    const back = await session.ask('REST 0', signal)
    session.isMarked = back.code !== 350
    if (!session.isMarked) noteRestart(pool, 'yes')
  } else if (refusesRestart(reply)) noteRestart(pool, 'no')
}

function noteRestart({ habits }: FtpPool, restart: 'yes' | 'no'): void {
  habits.restart = restart
  habits.isRestartTried = true
}

function refusesRestart(reply: Reply): boolean {
  return isUnknownCommand(reply) || (reply.code >= 500 && reply.code !== 530)
}

function wantedOf(request: FetchRequest, resource: Resource, uri: string): Wanted {
  const { size, ranges } = resource
  const { range } = request
  if (range && ranges === 'no') {
    if (range.start > 0) throw noRanges(uri)
    return { start: 0, end: size, isToEnd: true }
  }
  if (size === undefined) return { start: 0, end: undefined, isToEnd: true }
  // Compared already, and by more than what is compared there.
  const { start, end } = boundsOf({ ...request, expected: undefined }, resource, size, uri)
  return { start, end, isToEnd: end === size }
}

function resourceOf({ pool, name }: Target, { size, lastModified }: FileFacts): Resource {
  // Without a size, nobody can tell what a part is a part of.
  const ranges = size === undefined ? 'no' : pool.habits.restart
  return { size, ranges, lastModified, checksums: [], name }
}

function noRanges(uri: string): TransferError {
  const what = `Cannot fetch a part of ${uri}: the server sends files only from their beginning`
  return new TransferError('RangeUnsupported', what, { url: uri })
}

function brokenOff(error: unknown, { session, uri }: Target): unknown {
  const { where } = session.control
  if (error instanceof Silence) return timeoutError('idle', where, uri)
  return error instanceof Error && 'code' in error && !(error instanceof TransferError)
    ? networkError(error, where, uri)
    : error
}

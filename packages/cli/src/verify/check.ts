/** Re-reads files and says of each in which state it is (reliability C2). */
import { type Stats, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Engine, EngineDoor, FileProgress, Progress, Verification } from '../engine.ts'
import { type Told, tell } from '../errors.ts'
import type { Candidate } from './candidates.ts'

export type State = 'ok' | 'mismatch' | 'missing' | 'unreadable' | 'unverifiable'

export interface Verdict {
  readonly name: string
  readonly path: string | undefined
  readonly state: State
  readonly reason?: string | undefined
  readonly size?: number | undefined
  readonly verification?: Verification | undefined
  /** How often the bytes were read: a bad read is repeated before the verdict. */
  readonly reads: number
}

interface CheckOptions {
  readonly engine: Engine
  readonly door: Pick<EngineDoor, 'verifyFile'>
  readonly progress: Progress
  readonly signal: AbortSignal
  /** Files at once. */
  readonly concurrency?: number | undefined
}

/** Verdicts as they come: several files are read at once, and no more are taken from the list than that. */
export async function* checkAll(
  candidates: AsyncIterable<Candidate>,
  options: CheckOptions,
): AsyncGenerator<Verdict, void, undefined> {
  const atOnce = options.concurrency ?? Math.min(4, availableParallelism())
  const running = new Map<number, Promise<{ id: number; verdict: Verdict }>>()
  let id = 0
  const next = async () => {
    const { id, verdict } = await Promise.race(running.values())
    running.delete(id)
    return verdict
  }
  for await (const candidate of candidates) {
    options.signal.throwIfAborted()
    options.progress.listed++
    const own = id++
    running.set(
      own,
      check(candidate, options).then(verdict => ({ id: own, verdict })),
    )
    if (running.size >= atOnce) yield await next()
  }
  options.progress.isListed = true
  while (running.size > 0) yield await next()
}

async function check(candidate: Candidate, options: CheckOptions): Promise<Verdict> {
  const { name, path } = candidate
  if (path === undefined) {
    return { name, path, state: 'unverifiable', reason: tell(candidate.error).message, reads: 0 }
  }
  const first = await checkOnce(candidate, path, options)
  if ((first.state !== 'mismatch' && first.state !== 'unreadable') || first.reads === 0) return first
  // One bad read may be the cable; two are a verdict.
  const second = await checkOnce(candidate, path, options)
  const reason =
    second.state === first.state ? second.reason : `${second.reason ?? 'ok'}; the first read: ${first.reason}`
  // Two reads that differ are no proof of anything good.
  return { ...second, state: second.state === 'ok' ? 'unreadable' : second.state, reason, reads: 2 }
}

async function checkOnce(candidate: Candidate, path: string, options: CheckOptions): Promise<Verdict> {
  const { name, checksums, size } = candidate
  const about = { name, path, reads: 0 }
  let stats: Stats
  try {
    stats = statSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR'
    return isMissing ? { ...about, state: 'missing' } : { ...about, state: 'unreadable', reason: tell(error).message }
  }
  if (!stats.isFile()) {
    const reason = stats.isDirectory() ? 'it is a directory' : 'it is no regular file'
    return { ...about, state: 'unreadable', reason }
  }
  if (size !== undefined && stats.size !== size) {
    return { ...about, state: 'mismatch', size: stats.size, reason: `size must be ${size}, got ${stats.size}` }
  }
  const comparable = checksums.filter(({ algorithm }) => algorithm !== 'null')
  if (comparable.length === 0) {
    // A size alone is what was asked for only when it was given for this very file.
    const reason = size === undefined ? 'no checksum to compare with' : 'no checksum to compare with; the size is right'
    return { ...about, state: 'unverifiable', size: stats.size, reason }
  }
  return readAndCompare({ ...about, reads: 1, size: stats.size }, path, candidate, options)
}

async function readAndCompare(
  about: Omit<Verdict, 'state'>,
  path: string,
  { checksums }: Candidate,
  { engine, door, progress, signal }: CheckOptions,
): Promise<Verdict> {
  const file = progress.start(path, about.size)
  file.name = about.name
  progress.enter(file, 'fetching')
  try {
    const onProgress = (bytes: number) => progress.landed(file, bytes)
    const verification = await door.verifyFile(path, checksums, { engine, signal, onProgress })
    const verdict = { ...about, ...judge(verification), verification }
    end(progress, file, verdict.state)
    return verdict
  } catch (error) {
    end(progress, file, 'unreadable')
    signal.throwIfAborted()
    const told = tell(error)
    return { ...about, state: stateOf(told.code), reason: reasonOf(told) }
  }
}

const states: Readonly<Record<string, State>> = {
  checksum_mismatch: 'mismatch',
  size_mismatch: 'mismatch',
  // It was there a moment ago.
  not_found: 'missing',
  unverifiable: 'unverifiable',
}

function stateOf(code: string): State {
  return states[code] ?? 'unreadable'
}

/** The name of the file stands before it already. */
function reasonOf({ message, algorithm, expected, actual }: Told): string {
  if (algorithm === undefined || expected === undefined) return message
  return `${algorithm} must be ${expected}, got ${actual ?? 'nothing'}`
}

function end(progress: Progress, file: FileProgress, state: State): void {
  progress.finish(file, state === 'ok' ? 'done' : 'failed')
}

/** What the comparisons say together: the worst of them. */
export function judge({ checks }: Verification): { state: State; reason?: string } {
  const mismatch = checks.find(check => check.outcome === 'mismatch')
  if (mismatch) {
    const { algorithm, value, actual } = mismatch
    return { state: 'mismatch', reason: `${algorithm} must be ${value}, got ${actual ?? 'nothing'}` }
  }
  const matched = checks.filter(check => check.outcome === 'match').map(({ algorithm }) => algorithm)
  if (matched.length > 0) return { state: 'ok', reason: matched.join(', ') }
  const open = checks.map(({ algorithm }) => algorithm).join(', ')
  return {
    state: 'unverifiable',
    reason: open === '' ? 'no checksum to compare with' : `${open} could not be computed`,
  }
}

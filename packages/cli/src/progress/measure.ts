/** Progress as numbers: what the engine counted, made fit to be shown. No terminal here. */
import { basename } from 'node:path'
import type { FileProgress, Progress } from '../engine.ts'

/** More than this is shown only when everything is verified and published. */
const mostBeforeDone = 0.99

/** How one file stands. */
export interface FileView {
  readonly id: number
  readonly name: string
  readonly state: FileProgress['state']
  readonly landed: number
  readonly size: number | undefined
  /** 0 to 1; undefined when the size is not known. */
  readonly fraction: number | undefined
}

/** How the whole run stands. */
export interface TotalView {
  readonly landed: number
  /** Undefined while some size is not known. */
  readonly size: number | undefined
  readonly fraction: number | undefined
  /** Bytes per second over the last seconds. */
  readonly rate: number
  /** Undefined when nobody can say. */
  readonly etaMs: number | undefined
  readonly files: {
    readonly finished: number
    readonly failed: number
    readonly listed: number
    readonly isListed: boolean
  }
  readonly connections: number
}

export interface Snapshot {
  readonly files: readonly FileView[]
  readonly total: TotalView
}

export type Measure = (now: number) => Snapshot

/** What a list says of sizes before its files are asked for. */
export interface ListSizes {
  /** Sum of the sizes that were stated. */
  bytes: number
  /** Entries without a size. */
  unsized: number
}

export interface MeasureOptions {
  /** There is one file and no list. */
  readonly isSingle?: boolean
  readonly list?: ListSizes | undefined
}

/** Looks at the engine's counters; whatever they do, what is shown never goes back. */
export function createMeasure(progress: Progress, { isSingle = false, list }: MeasureOptions = {}): Measure {
  const fileFractions = new WeakMap<FileProgress, number>()
  const byteRate = createRate()
  const fractionRate = createRate(30_000)
  let shownFraction = 0
  let shownLanded = 0
  let begun: number | undefined
  return now => {
    const active = [...progress.active]
    const files = active.map(file => viewOf(file, fileFractions))
    const finished = progress.done + progress.skipped + progress.failed
    const listed = isSingle ? 1 : Math.max(progress.listed, finished + active.length)
    const isListed = isSingle || progress.isListed
    const size = sizeOf(progress, list, isListed && finished + active.length >= listed && active.length + finished > 0)
    const there = size === undefined ? progress.received + progress.held : thereOf(progress, active)
    shownLanded = Math.max(shownLanded, there)
    const landed = size === undefined ? shownLanded : Math.min(shownLanded, size)
    const partly = files.reduce((sum, file) => sum + (file.fraction ?? 0), finished)
    const exact = size !== undefined && size > 0 ? landed / size : isListed && listed > 1 ? partly / listed : undefined
    const isDone = isListed && finished >= listed && active.length === 0
    const fraction = isDone ? 1 : capped(exact)
    if (fraction !== undefined) shownFraction = Math.max(shownFraction, fraction)
    const rate = byteRate(progress.received, now)
    const pace = fractionRate(shownFraction, now)
    const left = size !== undefined ? (size - landed) / rate : (1 - shownFraction) / pace
    begun ??= now
    // By files it is a guess, and in the first seconds a wild one.
    const isKnown = fraction !== undefined && (size !== undefined || now - begun >= 10_000) && Number.isFinite(left)
    return {
      files,
      total: {
        landed,
        size,
        fraction: fraction === undefined ? undefined : shownFraction,
        rate,
        etaMs: isKnown ? left * 1000 : undefined,
        files: { finished, failed: progress.failed, listed, isListed },
        connections: progress.connections,
      },
    }
  }
}

/** Bytes of the whole: what the list states, else what the servers have said once all of them were asked. */
function sizeOf(progress: Progress, list: ListSizes | undefined, isAllBegun: boolean): number | undefined {
  if (isAllBegun && progress.unsized === 0) return progress.size
  return progress.isListed && list && list.unsized === 0 && list.bytes > 0 ? list.bytes : undefined
}

/** Known sizes less what the active files lack: so skipped and failed ones, which never get all their bytes, count as over. */
function thereOf(progress: Progress, active: readonly FileProgress[]): number {
  return (
    progress.size - active.reduce((sum, file) => sum + Math.max(0, (file.size ?? 0) - file.held - file.received), 0)
  )
}

function viewOf(file: FileProgress, shown: WeakMap<FileProgress, number>): FileView {
  const landed = file.size === undefined ? file.held + file.received : Math.min(file.size, file.held + file.received)
  const isOver = file.state === 'done' || file.state === 'skipped'
  const exact = file.size === undefined ? undefined : file.size === 0 ? mostBeforeDone : landed / file.size
  const fraction = isOver ? 1 : capped(exact)
  if (fraction !== undefined) shown.set(file, Math.max(fraction, shown.get(file) ?? 0))
  return {
    id: file.id,
    name: basename(file.name ?? lastSegment(file.uri)),
    state: file.state,
    landed,
    size: file.size,
    fraction: fraction === undefined ? undefined : shown.get(file),
  }
}

function capped(fraction: number | undefined): number | undefined {
  return fraction === undefined ? undefined : Math.min(mostBeforeDone, Math.max(0, fraction))
}

/** A name for what has none yet. */
export function lastSegment(uri: string): string {
  const path = uri.split(/[?#]/)[0]!.replace(/\/+$/, '')
  const last = path.slice(path.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(last) || uri
  } catch {
    return last || uri
  }
}

/** Bytes per second over the last few seconds: short enough to show a stall, long enough not to flicker. */
export function createRate(windowMs = 5000): (bytes: number, now: number) => number {
  const samples: { bytes: number; at: number }[] = []
  return (bytes, now) => {
    samples.push({ bytes, at: now })
    // The oldest one kept is just outside the window, so that the window is always covered.
    while (samples.length > 2 && samples[1]!.at <= now - windowMs) samples.shift()
    const oldest = samples[0]!
    return now > oldest.at ? Math.max(0, ((bytes - oldest.bytes) / (now - oldest.at)) * 1000) : 0
  }
}

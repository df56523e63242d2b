/** Progress as numbers: what the engine counted, made fit to be shown. No terminal here. */
import type { FileProgress, Progress } from '../engine.ts'

/** More than this is shown only when everything is verified and published. */
const mostBeforeDone = 0.99

/** How one file stands. */
export interface FileView {
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

/** Looks at the engine's counters; whatever they do, what is shown never goes back. */
export function createMeasure(progress: Progress, { isSingle = false } = {}): Measure {
  const fileFractions = new WeakMap<FileProgress, number>()
  const rate = createRate()
  let shownFraction = 0
  let shownLanded = 0
  return now => {
    const files = [...progress.active]
    const listed = isSingle ? 1 : Math.max(progress.listed, files.length)
    const isListed = isSingle || progress.isListed
    // Before the first file has begun nothing is known of any size.
    const size = isListed && progress.unsized === 0 && progress.size > 0 ? progress.size : undefined
    shownLanded = Math.max(shownLanded, progress.received + progress.held)
    const landed = size === undefined ? shownLanded : Math.min(shownLanded, size)
    const speed = rate(progress.received, now)
    const finished = progress.done + progress.skipped + progress.failed
    const byBytes = size === undefined ? undefined : landed / size
    const byFiles = isListed && listed > 1 ? finished / listed : undefined
    const isDone = isListed && finished >= listed && files.length === 0
    const fraction = isDone ? 1 : capped(byBytes ?? byFiles)
    if (fraction !== undefined) shownFraction = Math.max(shownFraction, fraction)
    return {
      files: files.map(file => viewOf(file, fileFractions)),
      total: {
        landed,
        size,
        fraction: fraction === undefined ? undefined : shownFraction,
        rate: speed,
        etaMs: size === undefined || speed <= 0 ? undefined : ((size - landed) / speed) * 1000,
        files: { finished, failed: progress.failed, listed, isListed },
        connections: progress.connections,
      },
    }
  }
}

function viewOf(file: FileProgress, shown: WeakMap<FileProgress, number>): FileView {
  const landed = file.size === undefined ? file.held + file.received : Math.min(file.size, file.held + file.received)
  const isOver = file.state === 'done' || file.state === 'skipped'
  const exact = file.size === undefined ? undefined : file.size === 0 ? mostBeforeDone : landed / file.size
  const fraction = isOver ? 1 : capped(exact)
  if (fraction !== undefined) shown.set(file, Math.max(fraction, shown.get(file) ?? 0))
  return {
    name: file.name ?? lastSegment(file.uri),
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

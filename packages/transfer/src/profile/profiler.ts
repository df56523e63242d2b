import { systemClock } from '../clock.ts'
import { type Engine, partsOf } from '../engine.ts'
import type { TransferError } from '../errors.ts'
import type { Progress } from '../progress.ts'
import { enginePhase, readEngine } from './engine-readings.ts'
import type { Sample } from './fields.ts'
import { openProfileFile } from './profile-file.ts'
import { createSampler } from './sampler.ts'
import type { SystemReader } from './system/counters.ts'
import { openLinux } from './system/linux.ts'
import { openPortable } from './system/portable.ts'

/** Options of a profiler. */
export interface ProfilerOptions {
  /** Where the lines go; replaced if it exists. */
  readonly file: string
  /** ms between samples, 10 to 3,600,000. Default 100. */
  readonly intervalMs?: number | undefined
  /** Adds what it knows: goodput, connections, memory, backlog. */
  readonly engine?: Engine | undefined
  /** Whose bytes are the payload and whose files tell the phase. Default: the engine's. */
  readonly progress?: Progress | undefined
  /** Told once when the file cannot be written any more; the profile ends there, what is profiled goes on. */
  readonly onFailure?: ((error: TransferError) => void) | undefined
  /** Sees each sample as it is taken. */
  readonly onSample?: ((sample: Sample) => void) | undefined
  /** Default: Linux's, elsewhere what Node knows. */
  readonly system?: SystemReader | undefined
}

/** Takes a sample of machine, process and engine every interval (retrieval 2.6 and 15). */
export interface Profiler {
  /** Opens the file and begins. Throws a TransferError when it cannot be opened; may be called once. */
  start(): void
  /** A phase begins now. From the first call on, phases are the caller's: those that the engine shows are left out. */
  mark(name: string): void
  /** Figures of the caller's own by field name, e.g. `items_done`; each line tells how they stand. */
  readonly counters: Record<string, number>
  /** Takes a last sample and waits until everything is written. May be called twice. */
  end(): Promise<void>
}

/** ms; below it a sample would measure mostly itself, above it timers wrap round. */
const intervals = { least: 10, most: 3_600_000 }

/**
 * @example
 * ```ts
 * const engine = createEngine()
 * const profiler = createProfiler({ file: 'run.profile', engine })
 * profiler.start()
 * try {
 *   await download('https://data.example.org/ocean.nc', 'data/', { engine })
 * } finally {
 *   await profiler.end()
 * }
 * ```
 */
export function createProfiler(options: ProfilerOptions): Profiler {
  const { intervalMs = 100 } = options
  if (!(intervalMs >= intervals.least && intervalMs <= intervals.most)) {
    const limits = `between ${intervals.least} and ${intervals.most} ms`
    throw new RangeError(`Cannot sample every ${intervalMs} ms: the interval must be ${limits}`)
  }
  const counters: Record<string, number> = {}
  let running: Running | undefined
  let ended: Promise<void> | undefined
  let early: string | undefined
  return {
    counters,
    mark(name) {
      if (running) running.mark(name)
      else early = name
    },
    start() {
      if (running) throw new Error('Cannot start a profiler twice')
      running = begin(options, intervalMs, counters, early)
    },
    end: () => (ended ??= running?.end() ?? Promise.resolve()),
  }
}

interface Running {
  mark(name: string): void
  end(): Promise<void>
}

function begin(
  options: ProfilerOptions,
  intervalMs: number,
  counters: Record<string, number>,
  marked: string | undefined,
): Running {
  const { file: path, engine, progress = engine?.progress, onSample, onFailure } = options
  const file = openProfileFile(path, error => {
    clearTimeout(timer)
    onFailure?.(error)
  })
  const system = options.system ?? (process.platform === 'linux' ? openLinux() : openPortable())
  const sampler = createSampler({ system, clock: systemClock, counters, marked, ...engineView(engine, progress) })
  if (progress) progress.onState = () => sampler.look()
  const since = systemClock.now()
  let due = since
  let timer: NodeJS.Timeout | undefined
  let isEmpty = true

  const take = () => {
    const sample = sampler.take(Math.max(0, systemClock.now() - due))
    isEmpty = false
    file.add(JSON.stringify(sample))
    onSample?.(sample)
  }

  /** Deadlines are multiples of the interval, so that lateness does not add up; what was missed is left out. */
  const schedule = () => {
    const now = systemClock.now()
    // Also when the timer came a moment early: else it would come again at once.
    due += intervalMs
    if (due <= now) due = now - ((now - since) % intervalMs) + intervalMs
    timer = setTimeout(tick, due - now)
    timer.unref()
  }

  const tick = () => {
    take()
    schedule()
  }

  schedule()
  return {
    mark: name => sampler.mark(name),
    async end() {
      clearTimeout(timer)
      if (progress) progress.onState = undefined
      // A moment after the last one there is nothing new, and ticks of the kernel make wild rates of it.
      if (isEmpty || sampler.hasMarks || sampler.age >= intervalMs / 4) take()
      system.close()
      await file.close()
    },
  }
}

function engineView(engine: Engine | undefined, progress: Progress | undefined) {
  const parts = engine && partsOf(engine)
  return {
    readEngine: parts && progress && (() => readEngine(parts, progress)),
    phase: progress && (() => enginePhase(progress)),
  }
}

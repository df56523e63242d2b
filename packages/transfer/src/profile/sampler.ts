/** Takes samples: of two readings one line. Knows no timer and no file. */
import { performance } from 'node:perf_hooks'
import type { Clock } from '../clock.ts'
import type { EngineReadings } from './engine-readings.ts'
import type { Mark, Sample } from './fields.ts'
import { baseFields, descendantsCpuMs, rounded } from './rates.ts'
import type { SystemCounters, SystemReader } from './system/counters.ts'

export interface SamplerOptions {
  readonly system: SystemReader
  readonly clock: Pick<Clock, 'now' | 'wallNow'>
  readonly readEngine?: (() => EngineReadings) | undefined
  /** What the run is at, asked at each sample and when told to look, until the caller marks phases. */
  readonly phase?: (() => string | undefined) | undefined
  /** The caller's phase with which it begins. */
  readonly marked?: string | undefined
  /** Figures of the caller's own, added to each line as they are then. */
  readonly counters?: Readonly<Record<string, number>> | undefined
}

export interface Sampler {
  /** ms since the sample before. */
  readonly age: number
  /** Marks that no sample has told yet. */
  readonly hasMarks: boolean
  /** A phase begins now; from the first call on, nobody is asked for phases. */
  mark(name: string): void
  /** Something changed: a phase may have begun. */
  look(): void
  /** @param lagMs how late the timer came */
  take(lagMs: number): Sample
}

/** A reading of everything, of which the next one makes rates. */
interface Reading {
  readonly at: number
  readonly counters: SystemCounters
  readonly cpu: NodeJS.CpuUsage
  readonly loop: ReturnType<typeof performance.eventLoopUtilization>
  readonly engine: EngineReadings | undefined
}

/** The first reading is taken here and gives no sample: rates need two. */
export function createSampler({ system, clock, readEngine, phase, marked, counters = {} }: SamplerOptions): Sampler {
  const origin = { at: clock.now(), wall: clock.wallNow() }
  // A clock that is set while a profile is taken must not turn it round.
  const wallAt = (at: number) => origin.wall + (at - origin.at)
  let marks: Mark[] = []
  let current: string | undefined
  let isMarked = marked !== undefined
  let before = read()
  if (marked === undefined) observe(before.at)
  else enter(marked, before.at)

  function read(): Reading {
    return {
      at: clock.now(),
      counters: system.read(),
      cpu: process.cpuUsage(),
      loop: performance.eventLoopUtilization(),
      engine: readEngine?.(),
    }
  }

  function observe(at: number): void {
    const name = isMarked ? undefined : phase?.()
    if (name !== undefined) enter(name, at)
  }

  function enter(name: string, at: number): void {
    if (name === current) return
    current = name
    marks.push({ name, at: new Date(wallAt(at)).toISOString() })
  }

  return {
    get age() {
      return clock.now() - before.at
    },
    get hasMarks() {
      return marks.length > 0
    },
    mark(name) {
      isMarked = true
      enter(name, clock.now())
    },
    look: () => observe(clock.now()),
    take(lagMs) {
      const now = read()
      // Two readings of the same moment: a rate over nothing would be infinite.
      const elapsedMs = Math.max(now.at - before.at, 0.001)
      observe(now.at)
      const line = {
        ...baseFields(before.counters, now.counters, elapsedMs, wallAt(now.at)),
        loop_lag_ms: rounded(lagMs),
        ...(now.engine && engineFields(before.engine, now.engine, elapsedMs)),
        proc_cpu: procCpu(before, now, elapsedMs),
        loop_busy: percent(performance.eventLoopUtilization(now.loop, before.loop).utilization),
        ...(current !== undefined && { phase: current }),
        ...(marks.length > 0 && { marks }),
      }
      marks = []
      before = now
      return { ...line, ...unlike(line, counters) }
    },
  }
}

function engineFields(before: EngineReadings | undefined, now: EngineReadings, elapsedMs: number) {
  const { received, conns, wip_bytes, slots_free, retries, hedges, hash_backlog } = now
  const bits = (received - (before?.received ?? 0)) * 8
  const goodput = rounded(Math.max(0, bits) / 1e6 / elapsedMs)
  return { conns, goodput, wip_bytes, slots_free, retries, hedges, hash_backlog }
}

/** % of one core. */
function procCpu(before: Reading, now: Reading, elapsedMs: number): number {
  const own = (now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system) / 1000
  return percent((own + descendantsCpuMs(before.counters, now.counters)) / elapsedMs)
}

function percent(share: number): number {
  return Math.round(share * 1000) / 10
}

/** A caller's figure never replaces a field of the profile. */
function unlike(line: object, counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters).filter(([name, value]) => !(name in line) && Number.isFinite(value)),
  )
}

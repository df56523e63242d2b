/** The line that each counted run leaves (retrieval 15, "Benchmark"). The manual page explains every field. */
import type { Machine } from './machine.ts'
import type { Run } from './rounds.ts'

/** Units are in the names; what a tool does not tell, or nobody could count, is null. */
export interface BenchRecord {
  readonly tool: string
  readonly version: string
  readonly command: string
  readonly machine: MachineRecord
  readonly node: string
  /** What was fetched: the address, or the name of a local target. */
  readonly scenario: string
  /** How our own program was set; null where there is nothing to set. */
  readonly configuration: ConfigurationRecord | null
  /** From 1. */
  readonly round: number
  readonly bytes: number
  readonly files: number
  readonly wall_seconds: number
  readonly effective_gbit_per_second: number
  readonly user_cpu_seconds: number
  readonly system_cpu_seconds: number
  /** Per 10^9 bytes. */
  readonly cpu_seconds_per_gb: number | null
  readonly peak_resident_bytes: number | null
  readonly peak_connections: number | null
  readonly retries: number | null
  readonly hedged_bytes: number | null
  readonly verify_seconds: number | null
  readonly files_before: number
  readonly files_after: number
  /** False: it failed, or gave other bytes. Such a run is never counted. */
  readonly is_right: boolean
  readonly problem: string | null
}

export interface ConfigurationRecord {
  readonly name: string
  /** Null: left to the program. */
  readonly connections: number | null
  /** Bytes. */
  readonly part_size: number | null
  readonly threads: number | null
  /** More flags of `get`, without secrets. */
  readonly args: readonly string[]
}

export interface MachineRecord {
  readonly cpu: string
  readonly cores: number
  readonly memory_bytes: number
  readonly kernel: string
  readonly filesystem: string
}

/** What everybody who measures knows besides the run. */
export interface About {
  readonly tool: string
  readonly version: string
  readonly machine: Machine
  readonly scenario: string
  readonly configuration?: ConfigurationRecord | undefined
  readonly bytes: number
  readonly files: number
}

/** What our own program says of itself. */
export interface Told {
  readonly peakConnections?: number
  readonly retries?: number
  readonly hedgedBytes?: number
  readonly verifySeconds?: number
}

export function recordOf(run: Run, about: About, told: Told = {}): BenchRecord {
  const { tool, version, machine, scenario, configuration, bytes, files } = about
  const { memoryBytes, ...rest } = machine
  return {
    tool,
    version,
    command: run.command,
    machine: { ...rest, memory_bytes: memoryBytes },
    node: process.version,
    scenario,
    configuration: configuration ?? null,
    round: run.round,
    bytes,
    files,
    wall_seconds: run.wallSeconds,
    effective_gbit_per_second: (bytes * 8) / run.wallSeconds / 1e9,
    user_cpu_seconds: run.userSeconds,
    system_cpu_seconds: run.systemSeconds,
    cpu_seconds_per_gb: bytes > 0 ? (run.userSeconds + run.systemSeconds) / (bytes / 1e9) : null,
    peak_resident_bytes: run.peakRssBytes ?? null,
    peak_connections: told.peakConnections ?? run.peakConnections ?? null,
    retries: told.retries ?? null,
    hedged_bytes: told.hedgedBytes ?? null,
    verify_seconds: told.verifySeconds ?? null,
    files_before: run.filesBefore,
    files_after: run.filesAfter,
    is_right: run.problem === undefined,
    problem: run.problem ?? null,
  }
}

/** As retriever's baseline script prints it: run, seconds, files before, files after. */
export function downloadPerfLine(run: {
  readonly round: number
  readonly wall_seconds: number
  readonly files_before: number
  readonly files_after: number
}): string {
  return `DownloadPerf ${run.round} ${run.wall_seconds.toFixed(2)} ${run.files_before} ${run.files_after}`
}

/**
 * What a system has counted so far. Of two readings, rates are made; what cannot be known here is undefined.
 */
export interface SystemCounters {
  readonly cpu?: CpuCounters | undefined
  /** Bytes that programs could still have. */
  readonly availableBytes?: number | undefined
  readonly network?: NetworkCounters | undefined
  readonly disks?: DiskCounters | undefined
  readonly processes?: ProcessCounters | undefined
}

export interface CpuCounters {
  readonly all: CpuTime
  readonly cores: readonly CpuTime[]
}

/** In any unit, the same for both. */
export interface CpuTime {
  readonly busy: number
  readonly total: number
}

export interface NetworkCounters {
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface DiskCounters {
  readonly readBytes: number
  readonly writtenBytes: number
  /** Finished requests, reads and writes. */
  readonly operations: number
}

export interface ProcessCounters {
  /** Bytes resident in the process and its descendants. */
  readonly residentBytes: number
  /** The process and its descendants; undefined where those are not known. */
  readonly count: number | undefined
  /** ms of CPU that descendants which live now have used: of each by its id. */
  readonly descendantsCpuMs: ReadonlyMap<number, number>
}

/** Reads the counters, again and again. */
export interface SystemReader {
  /** Never throws: what cannot be read is undefined. */
  read(): SystemCounters
  close(): void
}

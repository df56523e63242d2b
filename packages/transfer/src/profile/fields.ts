/** What a profile's line holds (retrieval 2.6 and 15): names, order, units. */

/** Of a reference profile; every line has all of them but `per_cpu`, which its first version did not have. */
export interface BaseFields {
  /** ISO 8601, UTC: when the sample was taken. Rates are over the time since the sample before it. */
  readonly timestamp: string
  /** %, whole machine. */
  readonly cpu_avg: number | null
  /** %, per core. */
  readonly per_cpu?: readonly number[] | null
  /** GB (10^9) that programs could still have. */
  readonly free_mem: number | null
  /** Gbit/s over all interfaces, loopback included. */
  readonly net_sent: number | null
  readonly net_recv: number | null
  /** MB/s (10^6) over all disks. */
  readonly disk_read: number | null
  readonly disk_write: number | null
  /** Reads and writes per second. */
  readonly disk_iops: number | null
  /** MB (10^6) resident in the process and all of its descendants. */
  readonly proc_mem: number | null
  /** The process and its descendants. */
  readonly proc_count: number | null
}

/** What we add of the process itself, and of its engine where there is one. */
export interface OwnFields {
  /** % of one core: all threads of the process (hash and write workers are such), and its descendants. */
  readonly proc_cpu: number
  /** % of the time since the last sample in which the main thread's event loop had work. */
  readonly loop_busy: number
  /** ms by which this sample's timer came late. */
  readonly loop_lag_ms: number
  /** Requests in flight. */
  readonly conns: number
  /** Gbit/s of payload: bytes of files, without headers, retried bytes counted again. */
  readonly goodput: number
  /** Bytes of the memory budget that are reserved for parts. */
  readonly wip_bytes: number
  /** Bytes of the memory budget that are not: slots have no fixed size, so these are not a count. */
  readonly slots_free: number
  /** Since the start. */
  readonly retries: number
  readonly hedges: number
  /** Bytes that hash workers have been asked to digest and have not. */
  readonly hash_backlog: number
}

/** One line. Fields that a caller counts come last; readers keep fields that they do not know. */
export interface Sample extends BaseFields, Partial<OwnFields> {
  /** What the run is doing at this time. */
  readonly phase?: string
  /** Phases that began since the last sample, exactly. */
  readonly marks?: readonly Mark[]
  readonly [field: string]: unknown
}

/** A moment in a profile that somebody named. */
export interface Mark {
  readonly name: string
  /** ISO 8601, UTC. */
  readonly at: string
}

/** Metrics of the reference, in its order. */
export const baseMetrics = [
  'cpu_avg',
  'free_mem',
  'net_sent',
  'net_recv',
  'disk_read',
  'disk_write',
  'disk_iops',
  'proc_mem',
  'proc_count',
] as const

/** By metric; those that a caller counts have none. */
export const units: Readonly<Record<string, string>> = {
  cpu_avg: '%',
  free_mem: 'GB',
  net_sent: 'Gbit/s',
  net_recv: 'Gbit/s',
  disk_read: 'MB/s',
  disk_write: 'MB/s',
  disk_iops: 'count/s',
  proc_mem: 'MB',
  proc_count: 'count',
  proc_cpu: '%',
  loop_busy: '%',
  loop_lag_ms: 'ms',
  conns: 'count',
  goodput: 'Gbit/s',
  wip_bytes: 'bytes',
  slots_free: 'bytes',
  retries: 'count',
  hedges: 'count',
  hash_backlog: 'bytes',
}

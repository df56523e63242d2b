import type { Sample } from '../src/engine.ts'

/** A sample of a reference profile, `ms` after 1970 began. */
export function sampleAt(ms: number, fields: Partial<Sample> = {}): Sample {
  return {
    timestamp: new Date(ms).toISOString(),
    cpu_avg: 50,
    free_mem: 3.5,
    net_sent: 0.01,
    net_recv: 0.8,
    disk_read: 0,
    disk_write: 100,
    disk_iops: 12,
    proc_mem: 150,
    proc_count: 1,
    ...fields,
  }
}

/** From two readings to the reference's fields and units (retrieval 2.6). */
import type { BaseFields } from './fields.ts'
import type { CpuTime, SystemCounters } from './system/counters.ts'

const GB = 1e9
const MB = 1e6

/** Rounded to what a reader can use: lines stay short, and small rates do not become nothing. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

/**
 * @param elapsedMs between the readings; more than 0
 * @param at ms since 1970 of the second one
 */
export function baseFields(before: SystemCounters, now: SystemCounters, elapsedMs: number, at: number): BaseFields {
  const [network, networkBefore] = [now.network, before.network]
  const [disks, disksBefore] = [now.disks, before.disks]
  // Counters start anew when a card or a disk goes: then nothing has happened, rather than less than nothing.
  const perSecond = (later?: number, earlier?: number, unit = 1): number | null => {
    if (later === undefined || earlier === undefined) return null
    return rounded((Math.max(0, later - earlier) * 1000) / elapsedMs / unit)
  }
  const gbits = (later?: number, earlier?: number) => perSecond(later, earlier, GB / 8)
  return {
    timestamp: new Date(at).toISOString(),
    cpu_avg: now.cpu && before.cpu ? percentOf(before.cpu.all, now.cpu.all) : null,
    per_cpu: perCpu(before, now),
    free_mem: now.availableBytes === undefined ? null : rounded(now.availableBytes / GB),
    net_sent: gbits(network?.sentBytes, networkBefore?.sentBytes),
    net_recv: gbits(network?.receivedBytes, networkBefore?.receivedBytes),
    disk_read: perSecond(disks?.readBytes, disksBefore?.readBytes, MB),
    disk_write: perSecond(disks?.writtenBytes, disksBefore?.writtenBytes, MB),
    disk_iops: perSecond(disks?.operations, disksBefore?.operations),
    proc_mem: now.processes ? rounded(now.processes.residentBytes / MB) : null,
    proc_count: now.processes?.count ?? null,
  }
}

function perCpu(before: SystemCounters, now: SystemCounters): number[] | null {
  if (!now.cpu || !before.cpu) return null
  const { cores } = before.cpu
  // A core that was switched on meanwhile has no earlier reading.
  return now.cpu.cores.map((core, index) => percentOf(cores[index] ?? core, core))
}

/** %, with one decimal as in the reference; the kernel counts in ticks of 10 ms, so more would be made up. */
function percentOf(before: CpuTime, now: CpuTime): number {
  const total = now.total - before.total
  // Idle time may go back a little in some kernels.
  const share = total > 0 ? (now.busy - before.busy) / total : 0
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10
}

/** ms of CPU that the descendants used between two readings; of those that are new, what they have used at all. */
export function descendantsCpuMs(before: SystemCounters, now: SystemCounters): number {
  let used = 0
  for (const [pid, ms] of now.processes?.descendantsCpuMs ?? []) {
    used += Math.max(0, ms - (before.processes?.descendantsCpuMs.get(pid) ?? 0))
  }
  return used
}

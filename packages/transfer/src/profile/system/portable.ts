/** What Node knows on every system: CPU, free memory, this process. Network, disks and descendants it does not know. */
import { cpus, freemem } from 'node:os'
import type { SystemCounters, SystemReader } from './counters.ts'

export function openPortable(): SystemReader {
  return { read: readPortable, close() {} }
}

export function readPortable(): SystemCounters {
  const cores = cpus().map(({ times }) => {
    const busy = times.user + times.nice + times.sys + times.irq
    return { busy, total: busy + times.idle }
  })
  const sum = (key: 'busy' | 'total') => cores.reduce((total, core) => total + core[key], 0)
  return {
    // In a sandbox there may be none.
    cpu: cores.length > 0 ? { all: { busy: sum('busy'), total: sum('total') }, cores } : undefined,
    availableBytes: freemem(),
    processes: { residentBytes: process.memoryUsage.rss(), count: undefined, descendantsCpuMs: new Map() },
  }
}

import type { CpuCounters, CpuTime } from './counters.ts'

/** `/proc/stat`. Waiting for the disk is idle, as in the reference; guests are part of user time already. */
export function parseCpu(text: string): CpuCounters | undefined {
  let all: CpuTime | undefined
  const cores: CpuTime[] = []
  for (let at = 0; text.startsWith('cpu', at); ) {
    const next = text.indexOf('\n', at)
    const end = next < 0 ? text.length : next
    const [name = '', ...ticks] = text.slice(at, end).trim().split(/\s+/)
    // user nice system idle iowait irq softirq steal guest guest_nice
    const counted = ticks.slice(0, 8).map(Number)
    const total = counted.reduce((sum, n) => sum + n, 0)
    const time = { busy: total - (counted[3] ?? 0) - (counted[4] ?? 0), total }
    if (!Number.isFinite(total) || counted.length < 4) return undefined
    if (name === 'cpu') all = time
    else cores.push(time)
    at = end + 1
  }
  return all && { all, cores }
}

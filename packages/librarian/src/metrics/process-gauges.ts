/** How the process itself is, under the names that every exporter gives these. */
import { readdir } from 'node:fs/promises'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from '@prometheus-io/client'
import { gaugesOf, one } from './gauges.ts'

type Delay = ReturnType<typeof monitorEventLoopDelay>

export interface ProcessGauges extends Disposable {
  update(): Promise<void>
}

/** Finer than this nobody looks, and each look wakes the process. */
const RESOLUTION_MS = 20
const quantiles = [0.5, 0.99, 1]

export function createProcessGauges(registry: Registry, build: Readonly<Record<string, string>>): ProcessGauges {
  const registers = [registry]
  const gauge = gaugesOf(registry)
  // It wakes the process all the time: only where somebody scrapes.
  let delay: Delay | undefined
  new Gauge({
    name: 'arriero_build_info',
    help: 'The release, as labels; always 1.',
    labelNames: Object.keys(build),
    registers,
  }).set(build, 1)
  const started = gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.')
  started(one(Date.now() / 1000 - process.uptime()))
  const resident = gauge('process_resident_memory_bytes', 'Memory that the process has in use.')
  const memory = gauge(
    'arriero_memory_bytes',
    'Memory by what it is for: heap, heap_reserved, external, buffers.',
    'kind',
  )
  const descriptors = gauge('process_open_fds', 'Open descriptors.')
  const lag = gauge(
    'arriero_event_loop_delay_seconds',
    'How late the event loop was since the last scrape, by quantile; 1 is the worst.',
    'quantile',
  )
  const cpu = risingCounter(registry, 'process_cpu_seconds_total', 'CPU time of the process, of users and system.')
  const busy = risingCounter(
    registry,
    'arriero_event_loop_busy_seconds_total',
    'Time in which the event loop did not wait.',
  )

  return {
    async update() {
      const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
      resident(one(rss))
      memory([
        [{ kind: 'heap' }, heapUsed],
        [{ kind: 'heap_reserved' }, heapTotal],
        [{ kind: 'external' }, external],
        [{ kind: 'buffers' }, arrayBuffers],
      ])
      const { user, system } = process.cpuUsage()
      cpu((user + system) / 1e6)
      busy(performance.eventLoopUtilization().active / 1000)
      delay ??= startDelay()
      const since = delay
      lag(quantiles.map(quantile => [{ quantile: String(quantile) }, delayOf(since, quantile)]))
      since.reset()
      descriptors(one(await openDescriptors()))
    },
    [Symbol.dispose]: () => void delay?.disable(),
  }
}

function startDelay(): Delay {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  return delay
}

/** Beyond the time that it sleeps between two looks. */
function delayOf(delay: Delay, quantile: number): number {
  const ns = delay.count === 0 ? 0 : delay.percentile(quantile * 100)
  return Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000)
}

/** A counter of what somebody else counts. */
function risingCounter(registry: Registry, name: string, help: string): (total: number) => void {
  const counter = new Counter({ name, help, registers: [registry] })
  let told = 0
  return total => {
    if (total <= told) return
    counter.inc(total - told)
    told = total
  }
}

/** Undefined: this system does not say. */
async function openDescriptors(): Promise<number | undefined> {
  return await readdir('/proc/self/fd').then(
    entries => entries.length,
    () => undefined,
  )
}

/** How many bytes all slots together may have (retrieval 6). */
import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'

/** The content of a file; undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined

export interface MemoryBudgetOptions {
  /** Most bytes. Default 1 GiB. */
  readonly limit?: number | undefined
  /** Reader of /proc and cgroup files. Default the system's. */
  readonly readText?: ReadText | undefined
  /** Free bytes where there is no /proc. Default the system's. */
  readonly freeMemory?: (() => number) | undefined
}

const MIB = 1024 * 1024
const CGROUP_ROOT = '/sys/fs/cgroup'

/** min(limit, 25 % of available memory), at least 1 MiB, cgroup limits honoured. */
export function defaultMemoryBudget(options: MemoryBudgetOptions = {}): number {
  const { limit = 1024 * MIB, ...rest } = options
  return Math.max(MIB, Math.min(limit, Math.floor(availableMemory(rest) / 4)))
}

/** Bytes that can be had without swapping: the least of what the machine and each enclosing cgroup have left. */
export function availableMemory({ readText = readSystemText, freeMemory = freemem }: MemoryBudgetOptions = {}): number {
  const machine = memAvailable(readText('/proc/meminfo')) ?? freeMemory()
  const groups = (readText('/proc/self/cgroup') ?? '').split('\n').flatMap(line => groupsOf(line, readText))
  return Math.min(machine, ...groups)
}

function memAvailable(meminfo: string | undefined): number | undefined {
  const kib = /^MemAvailable:\s*(\d+) kB$/m.exec(meminfo ?? '')?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}

/** What is left in the group of one line of /proc/self/cgroup (`id:controllers:path`) and in all groups around it. */
function groupsOf(line: string, readText: ReadText): number[] {
  const [id, controllers, ...rest] = line.split(':')
  const path = rest.join(':')
  if (id === '0' && controllers === '') {
    return enclosing(path).flatMap(group => leftOver(`${CGROUP_ROOT}${group}`, V2, readText))
  }
  if (!controllers?.split(',').includes('memory')) return []
  return enclosing(path).flatMap(group => leftOver(`${CGROUP_ROOT}/memory${group}`, V1, readText))
}

/**
 * `/a/b` -> `/a/b`, `/a`, ``. In a container without a namespace of its own the path is the host's and only the root
 * of it is mounted: directories that are not there are skipped by the reader.
 */
function enclosing(path: string): string[] {
  const names = path.split('/').filter(name => name !== '' && name !== '..')
  return [...names.keys()].map(index => `/${names.slice(0, index + 1).join('/')}`).concat('')
}

const V2 = { limit: 'memory.max', usage: 'memory.current', reclaimable: 'inactive_file' } as const
const V1 = {
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  reclaimable: 'total_inactive_file',
} as const

function leftOver(directory: string, names: typeof V1 | typeof V2, readText: ReadText): number[] {
  const limit = toBytes(readText(`${directory}/${names.limit}`))
  if (limit === undefined) return []
  const usage = toBytes(readText(`${directory}/${names.usage}`)) ?? 0
  const stat = readText(`${directory}/memory.stat`) ?? ''
  // Page cache counts as usage, but the kernel gives it up before it kills; a download fills it with its own file.
  const reclaimable = Number(new RegExp(`^${names.reclaimable} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0)
  return [Math.max(0, limit - Math.max(0, usage - reclaimable))]
}

/** `max` (v2), or v1's absurdly large number for "no limit", which the minimum takes care of. */
function toBytes(text: string | undefined): number | undefined {
  const trimmed = text?.trim()
  return trimmed !== undefined && /^\d+$/.test(trimmed) ? Number(trimmed) : undefined
}

function readSystemText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

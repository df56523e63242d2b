import { describe, expect, test } from 'vitest'
import { availableMemory, defaultMemoryBudget } from './memory-budget.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** A machine with 8 GiB available and these files. */
function machine(files: Record<string, string | number> = {}) {
  const all: Record<string, string | number> = { '/proc/meminfo': meminfo(8 * GIB), ...files }
  const readText = (path: string) => (path in all ? `${all[path]}\n` : undefined)
  return { readText, freeMemory: () => 2 * GIB }
}

function meminfo(available: number): string {
  return `MemTotal:       99999999 kB\nMemFree:          123 kB\nMemAvailable:   ${available / 1024} kB\nBuffers: 1 kB`
}

describe('availableMemory()', () => {
  test('is what the kernel says, or free memory where it says nothing', () => {
    expect(availableMemory(machine())).toBe(8 * GIB)
    expect(availableMemory({ readText: () => undefined, freeMemory: () => 2 * GIB })).toBe(2 * GIB)
  })

  test('honours a cgroup v2 limit, less what is used, page cache not counted', () => {
    const files = {
      '/proc/self/cgroup': '0::/',
      '/sys/fs/cgroup/memory.max': GIB,
      '/sys/fs/cgroup/memory.current': 700 * MIB,
      '/sys/fs/cgroup/memory.stat': `anon 1\nfile 2\ninactive_file ${500 * MIB}`,
    }
    expect(availableMemory(machine(files))).toBe(GIB - 200 * MIB)
  })

  test('honours the tightest of nested cgroups', () => {
    const files = {
      '/proc/self/cgroup': '0::/user.slice/job-7.scope',
      '/sys/fs/cgroup/user.slice/job-7.scope/memory.max': 'max',
      '/sys/fs/cgroup/user.slice/memory.max': 300 * MIB,
    }
    expect(availableMemory(machine(files))).toBe(300 * MIB)
  })

  test('honours a cgroup v1 limit, also when its path is only the host’s', () => {
    const files = {
      '/proc/self/cgroup': '5:cpu:/docker/1234\n4:memory:/docker/1234\n1:name=systemd:/x\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': 400 * MIB,
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': 100 * MIB,
      '/sys/fs/cgroup/memory/memory.stat': `inactive_file 5\ntotal_inactive_file ${50 * MIB}`,
    }
    expect(availableMemory(machine(files))).toBe(350 * MIB)
  })

  test('takes v1’s huge number and an unreadable file as no limit', () => {
    const files = {
      '/proc/self/cgroup': '4:memory:/\n0::/a',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/a/memory.max': 'nonsense',
    }
    expect(availableMemory(machine(files))).toBe(8 * GIB)
  })

  test('does not leave the cgroup directory for a path with dots', () => {
    const seen: string[] = []
    const readText = (path: string) => {
      seen.push(path)
      return path === '/proc/self/cgroup' ? '0::/../../etc' : undefined
    }
    availableMemory({ readText, freeMemory: () => GIB })
    expect(seen.filter(path => path.includes('..'))).toEqual([])
  })
})

describe('defaultMemoryBudget()', () => {
  test('is the limit, or a quarter of what is available', () => {
    expect(defaultMemoryBudget(machine())).toBe(GIB)
    expect(defaultMemoryBudget({ ...machine(), limit: 128 * MIB })).toBe(128 * MIB)
    expect(defaultMemoryBudget(machine({ '/proc/meminfo': meminfo(GIB) }))).toBe(256 * MIB)
  })

  test('leaves room for a part when the group is full', () => {
    const files = { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/memory.max': 5, '/sys/fs/cgroup/memory.current': 9 }
    expect(defaultMemoryBudget(machine(files))).toBe(MIB)
  })

  test('reads this very machine', () => {
    expect(defaultMemoryBudget()).toBeGreaterThanOrEqual(MIB)
  })
})

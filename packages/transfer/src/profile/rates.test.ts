import fc from 'fast-check'
import { expect, test } from 'vitest'
import { baseFields, descendantsCpuMs } from './rates.ts'
import type { SystemCounters } from './system/counters.ts'

const at = Date.UTC(2026, 10, 21, 12, 0, 0, 250)
const before: SystemCounters = {
  cpu: { all: { busy: 100, total: 1000 }, cores: [{ busy: 100, total: 500 }] },
  availableBytes: 5e9,
  network: { sentBytes: 1e9, receivedBytes: 2e9 },
  disks: { readBytes: 1e6, writtenBytes: 2e6, operations: 10 },
  processes: { residentBytes: 50e6, count: 1, descendantsCpuMs: new Map([[7, 100]]) },
}

test('baseFields() has the fields of the reference in its order and units', () => {
  const now: SystemCounters = {
    cpu: {
      all: { busy: 115, total: 1020 },
      cores: [
        { busy: 105, total: 510 },
        { busy: 10, total: 10 },
      ],
    },
    availableBytes: 4_500_000_000,
    network: { sentBytes: 1e9 + 12.5e6, receivedBytes: 2e9 + 125e6 },
    disks: { readBytes: 1e6 + 5e6, writtenBytes: 2e6, operations: 60 },
    processes: { residentBytes: 120_500_000, count: 3, descendantsCpuMs: new Map() },
  }
  expect(Object.entries(baseFields(before, now, 100, at))).toEqual([
    ['timestamp', '2026-11-21T12:00:00.250Z'],
    ['cpu_avg', 75],
    ['per_cpu', [50, 0]],
    ['free_mem', 4.5],
    ['net_sent', 1],
    ['net_recv', 10],
    ['disk_read', 50],
    ['disk_write', 0],
    ['disk_iops', 500],
    ['proc_mem', 120.5],
    ['proc_count', 3],
  ])
})

test('baseFields() says null for what is not known, and leaves no field out', () => {
  const fields = baseFields({}, {}, 100, at)
  expect(Object.values(fields)).toEqual(['2026-11-21T12:00:00.250Z', ...Array(10).fill(null)])
})

test('counters that begin anew give no rate below zero, and a kernel without a new tick no NaN', () => {
  const fields = baseFields(before, { ...before, network: { sentBytes: 0, receivedBytes: 0 } }, 100, at)
  expect(fields).toMatchObject({ net_sent: 0, net_recv: 0, cpu_avg: 0, per_cpu: [0] })
})

test('whatever the counters, per cent lie between 0 and 100', () => {
  const time = fc.record({ busy: fc.nat(), total: fc.nat() })
  fc.assert(
    fc.property(time, time, (one, other) => {
      const { cpu_avg } = baseFields({ cpu: { all: one, cores: [] } }, { cpu: { all: other, cores: [] } }, 100, at)
      expect(cpu_avg).toBeGreaterThanOrEqual(0)
      expect(cpu_avg).toBeLessThanOrEqual(100)
    }),
  )
})

test('descendantsCpuMs() counts what is new, and nothing of those that have gone', () => {
  const of = (...entries: [number, number][]): SystemCounters => ({
    processes: { residentBytes: 0, count: 0, descendantsCpuMs: new Map(entries) },
  })
  expect(descendantsCpuMs(of([7, 100], [8, 500]), of([7, 130], [9, 20]))).toBe(50)
  expect(descendantsCpuMs({}, of())).toBe(0)
})

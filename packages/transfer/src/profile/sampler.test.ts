import { expect, test } from 'vitest'
import type { EngineReadings } from './engine-readings.ts'
import { createSampler, type SamplerOptions } from './sampler.ts'

const idle: EngineReadings = {
  received: 0,
  conns: 0,
  wip_bytes: 0,
  slots_free: 0,
  retries: 0,
  hedges: 0,
  hash_backlog: 0,
}

/** With a clock that goes on when it is told. */
function sampling(options: Partial<SamplerOptions> = {}) {
  const time = { now: 5000, wall: Date.UTC(2026, 0, 1) }
  const clock = { now: () => time.now, wallNow: () => time.wall }
  return { time, sampler: createSampler({ system: { read: () => ({}), close() {} }, clock, ...options }) }
}

test('goodput is the payload since the last sample, in Gbit/s; what stands is told as it stands', () => {
  let engine = idle
  const { time, sampler } = sampling({ readEngine: () => engine })
  time.now += 100
  engine = { ...idle, received: 25e6, conns: 4, wip_bytes: 8, slots_free: 2, retries: 1, hedges: 3, hash_backlog: 9 }
  expect(sampler.take(1.5)).toMatchObject({
    goodput: 2,
    conns: 4,
    wip_bytes: 8,
    slots_free: 2,
    retries: 1,
    hedges: 3,
    hash_backlog: 9,
    loop_lag_ms: 1.5,
  })
  time.now += 100
  expect(sampler.take(0)).toMatchObject({ goodput: 0, retries: 1 })
})

test('time goes on evenly, also when somebody sets the clock', () => {
  const { time, sampler } = sampling()
  time.now += 100
  time.wall -= 3_600_000
  expect(sampler.take(0).timestamp).toBe('2026-01-01T00:00:00.100Z')
})

test('marks are told once, with their own time; the phase goes on until the next one', () => {
  const { time, sampler } = sampling()
  time.now += 30
  sampler.mark('list')
  time.now += 30
  sampler.mark('fetch')
  sampler.mark('fetch')
  time.now += 40
  const told = sampler.take(0)
  expect(told.marks).toEqual([
    { name: 'list', at: '2026-01-01T00:00:00.030Z' },
    { name: 'fetch', at: '2026-01-01T00:00:00.060Z' },
  ])
  time.now += 100
  const next = sampler.take(0)
  expect([next.phase, next.marks]).toEqual(['fetch', undefined])
})

test('phases that are seen count until somebody marks one', () => {
  let seen: string | undefined = 'prepare'
  const { time, sampler } = sampling({ phase: () => seen })
  seen = 'fetch'
  time.now += 50
  sampler.look()
  time.now += 50
  expect(sampler.take(0).marks).toEqual([
    { name: 'prepare', at: '2026-01-01T00:00:00.000Z' },
    { name: 'fetch', at: '2026-01-01T00:00:00.050Z' },
  ])
  seen = undefined
  time.now += 50
  expect(sampler.take(0)).toMatchObject({ phase: 'fetch' })
  sampler.mark('convert')
  seen = 'verify'
  sampler.look()
  time.now += 50
  expect(sampler.take(0)).toMatchObject({ phase: 'convert', marks: [{ name: 'convert' }] })
})

test('figures of the caller come last and replace nothing', () => {
  const counters = { items_done: 3, cpu_avg: -1, nonsense: Number.NaN }
  const { time, sampler } = sampling({ counters })
  time.now += 100
  counters.items_done = 4
  const sample = sampler.take(0)
  expect(sample.cpu_avg).toBeNull()
  expect(Object.keys(sample).at(-1)).toBe('items_done')
  expect(sample.items_done).toBe(4)
  expect(sample).not.toHaveProperty('nonsense')
})

test('two samples of the same moment have no infinite rate', () => {
  const { sampler } = sampling({ readEngine: () => idle })
  expect(JSON.stringify(sampler.take(0))).not.toMatch(/null,"goodput":null|Infinity/)
  expect(sampler.take(0).goodput).toBe(0)
})

import { parseProfileTime } from '@arriero/transfer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sampleAt } from '../../test/samples.ts'
import type { Sample } from '../engine.ts'
import { layOut, spreadOf } from './stretches.ts'

const door = { parseProfileTime }
const cpu = ({ cpu_avg }: Sample) => cpu_avg ?? undefined

test('the axis begins one interval before the first sample, or at an earlier mark', () => {
  const samples = [sampleAt(100), sampleAt(200), sampleAt(300)] as const
  const axis = layOut([...samples], 100, door)
  expect([axis.start, axis.duration, axis.interval]).toEqual([0, 0.3, 0.1])
  expect(axis.stretches.map(({ from, to }) => [from, to])).toEqual([
    [0, 0.1],
    [0.1, 0.2],
    [0.2, 0.3],
  ])
  const marks = [{ name: 'prepare', at: new Date(50).toISOString() }]
  expect(layOut([sampleAt(180, { marks }), sampleAt(200)], 100, door).start).toBe(50)
})

test('a single sample has an axis, and samples of one moment as well', () => {
  expect(layOut([sampleAt(1000)], 100, door)).toMatchObject({ duration: 0.1, interval: 0.1 })
  expect(layOut([sampleAt(1000), sampleAt(1000)], 100, door).duration).toBeGreaterThan(0)
})

test('a clock that was set back does not turn the line round', () => {
  const { stretches } = layOut([sampleAt(100), sampleAt(50), sampleAt(200)], 100, door)
  for (const { from, to } of stretches) expect(to).toBeGreaterThanOrEqual(from)
})

test('however many samples there are, each is in one stretch, and the extremes are kept', () => {
  const gaps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 500 }), value: fc.nat(100) }), { minLength: 1 })
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 20 }), (list, most) => {
      let time = 0
      const samples = list.map(({ gap, value }) => sampleAt((time += gap), { cpu_avg: value }))
      const { stretches, duration } = layOut(samples as [Sample, ...Sample[]], most, door)
      expect(stretches.length).toBeLessThanOrEqual(Math.max(most, 1))
      expect(stretches.flatMap(stretch => stretch.samples)).toEqual(samples)
      expect(stretches.at(-1)!.to).toBe(duration)
      const spreads = stretches.map(stretch => spreadOf(stretch, cpu)!)
      const values = list.map(({ value }) => value)
      expect(Math.max(...spreads.map(({ high }) => high))).toBe(Math.max(...values))
      expect(Math.min(...spreads.map(({ low }) => low))).toBe(Math.min(...values))
      expect(stretches.slice(1).map(({ from }) => from)).toEqual(stretches.slice(0, -1).map(({ to }) => to))
    }),
  )
})

test('spreadOf() passes over what is not known', () => {
  const samples = [sampleAt(1, { cpu_avg: null }), sampleAt(2, { cpu_avg: 4 }), sampleAt(3, { cpu_avg: 8 })]
  expect(spreadOf({ from: 0, to: 1, samples }, cpu)).toEqual({ mean: 6, low: 4, high: 8 })
  expect(spreadOf({ from: 0, to: 1, samples: samples.slice(0, 1) }, cpu)).toBeUndefined()
})

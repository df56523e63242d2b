import { Progress } from '@arriero/transfer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMeasure, createRate, lastSegment } from './measure.ts'

describe('createMeasure()', () => {
  test('shows at most 99 % until the file is verified and published', () => {
    const progress = new Progress()
    const measure = createMeasure(progress, { isSingle: true })
    const file = progress.start('http://h/a', 100)
    file.state = 'fetching'
    progress.landed(file, 100)
    expect(measure(1000).total.fraction).toBe(0.99)
    file.state = 'verifying'
    expect(measure(1100).files[0]!.fraction).toBe(0.99)
    file.state = 'publishing'
    expect(measure(1200).total.fraction).toBe(0.99)
    progress.finish(file, 'done')
    expect(measure(1300).total.fraction).toBe(1)
  })

  test('never goes back, whatever is fetched again or turns out to be larger', () => {
    const step = fc.record({ landed: fc.nat(1000), size: fc.nat(5000), ms: fc.nat(2000) })
    fc.assert(
      fc.property(fc.array(step), steps => {
        const progress = new Progress()
        const measure = createMeasure(progress, { isSingle: true })
        const file = progress.start('http://h/a', undefined)
        file.state = 'fetching'
        let [now, total, single] = [0, 0, 0]
        for (const { landed, size, ms } of steps) {
          progress.landed(file, landed)
          if (size > 0) progress.sized(file, size)
          const snapshot = measure((now += ms))
          expect(snapshot.total.fraction ?? total).toBeGreaterThanOrEqual(total)
          expect(snapshot.files[0]!.fraction ?? single).toBeGreaterThanOrEqual(single)
          total = snapshot.total.fraction ?? total
          single = snapshot.files[0]!.fraction ?? single
          expect(total).toBeLessThanOrEqual(0.99)
          expect(snapshot.total.rate).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })

  test('counts what an earlier run left, but not into the rate', () => {
    const progress = new Progress()
    const measure = createMeasure(progress, { isSingle: true })
    const file = progress.start('http://h/a', 1000)
    file.state = 'fetching'
    file.held = 500
    progress.held = 500
    measure(0)
    progress.landed(file, 100)
    const { total } = measure(1000)
    expect(total).toMatchObject({ landed: 600, fraction: 0.6, rate: 100, etaMs: 4000 })
  })

  test('says nothing of a whole whose size nobody knows', () => {
    const progress = new Progress()
    const measure = createMeasure(progress)
    progress.listed = 3
    const file = progress.start('http://h/a', 10)
    file.state = 'fetching'
    expect(measure(0).total).toMatchObject({ fraction: undefined, size: undefined, etaMs: undefined })
  })
})

test('createRate() forgets what is older than its window', () => {
  const rate = createRate(5000)
  rate(0, 0)
  expect(rate(1000, 1000)).toBe(1000)
  for (let now = 2000; now <= 10_000; now += 1000) rate(1000, now)
  expect(rate(1000, 11_000)).toBe(0)
})

test('lastSegment() names what has no name yet', () => {
  expect(lastSegment('https://h/a/b%20c.nc?x=1')).toBe('b c.nc')
  expect(lastSegment('https://h/%E0%A4')).toBe('%E0%A4')
})

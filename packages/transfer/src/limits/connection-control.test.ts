import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ConnectionControl, createConnectionControl } from './connection-control.ts'

const MB = 1_000_000

interface Simulation {
  readonly limits: number[]
  readonly control: ConnectionControl
}

/** Lets a control drive a link whose goodput depends on the number of connections. */
function simulate(link: (connections: number, now: number) => number, seconds: number, maximum = 16): Simulation {
  const control = createConnectionControl({ maximum })
  const limits: number[] = []
  for (let now = control.windowMs; now <= seconds * 1000; now += control.windowMs) {
    limits.push(control.limit)
    control.observe({ goodput: link(control.limit, now), now, atLimit: true })
  }
  return { limits, control }
}

/** How many files of 20 KB to 1 MB are fetched, each of which takes a connection 0.4 s, whatever its size. */
function fetchShortFiles(seed: number, seconds: number): number {
  const control = createConnectionControl({ maximum: 16 })
  const next = noise(seed * 7919, 1)
  let ends: number[] = []
  let [now, since, bytes, files] = [0, 0, 0, 0]
  for (; now < seconds * 1000; files++) {
    while (ends.length < control.limit) ends.push(now + 400 * (0.8 + 0.2 * next()))
    ends = ends.toSorted((a, b) => a - b)
    now = ends.shift() as number
    bytes += 20_000 * 50 ** (next() / 2)
    if (now - since < control.windowMs) continue
    control.observe({ goodput: (bytes * 1000) / (now - since), now, atLimit: true })
    bytes = 0
    since = now
  }
  return files
}

const average = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length

/** Reproducible noise of ± `share`. */
function noise(seed: number, share: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return 1 + share * ((2 * state) / 2 ** 32 - 1)
  }
}

describe('createConnectionControl() on a link capped per connection', () => {
  test('begins with 4 and reaches the maximum within 5 s', () => {
    const { limits } = simulate(connections => connections * MB, 5)
    expect(limits[0]).toBe(4)
    expect(limits.at(-1)).toBe(16)
  })

  test('reaches the maximum although new connections need a window to open', () => {
    let previous = 4
    const { limits } = simulate(connections => {
      const open = Math.min(connections, previous)
      previous = connections
      return open * MB
    }, 30)
    expect(limits.at(-1)).toBe(16)
  })

  test('reaches 48 within 2 s where growth shows at once', () => {
    const { limits } = simulate(connections => connections * MB, 2, 48)
    expect(limits.at(-1)).toBe(48)
  })

  test.each([3, 17, 32, 100])('reaches a maximum of %i', maximum => {
    const { control } = simulate(connections => connections * MB, 60, maximum)
    expect(control.limit).toBe(maximum)
  })

  test('reaches at least 12 of 16 with 3 % of noise', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const next = noise(seed, 0.03)
      const { control } = simulate(connections => connections * MB * next(), 120)
      expect(control.limit, `seed ${seed}`).toBeGreaterThanOrEqual(12)
    }
  })

  test('is seldom misled by short files of uneven sizes, of which a window has only a few', () => {
    const fetched = Array.from({ length: 100 }, (_, at) => fetchShortFiles(at + 1, 8))
    // 280 is what there is time for; at 4 connections it would be 80.
    expect(fetched.filter(files => files < 160).length, String(fetched)).toBeLessThanOrEqual(6)
    expect(average(fetched)).toBeGreaterThan(240)
  })

  test('finds the number of connections that fill the link', () => {
    const { limits } = simulate(connections => Math.min(connections, 9) * MB, 60)
    const later = limits.slice(40)
    expect(Math.min(...later)).toBeGreaterThanOrEqual(8)
    expect(Math.max(...later)).toBeLessThanOrEqual(10)
  })
})

describe('createConnectionControl() on a link of fixed capacity', () => {
  test('stays near 4, and probes with one more for less than a third of the time', () => {
    const { limits } = simulate(() => 10 * MB, 120)
    const later = limits.slice(10)
    expect(new Set(later)).toEqual(new Set([4, 5]))
    expect(later.filter(limit => limit === 5).length / later.length).toBeLessThan(1 / 3)
  })

  test('grows when the capacity does: it probes every 5 s', () => {
    const { control } = simulate((connections, now) => (now < 20_000 ? 4 : connections) * MB, 80)
    expect(control.limit).toBe(16)
  })
})

describe('createConnectionControl() on a link that collapses beyond k connections', () => {
  test.each([5, 8, 12])('with k = %i it is beyond k less than 5 % of the time, and uses most of the link', k => {
    const goodput = (connections: number) => (connections <= k ? connections : 0.4 * k) * MB
    const { limits } = simulate(goodput, 300)
    const later = limits.slice(40)
    expect(later.filter(limit => limit > k).length / later.length).toBeLessThan(0.05)
    expect(average(later.map(goodput))).toBeGreaterThan(0.75 * k * MB)
  })
})

describe('pushBack()', () => {
  const grown = () => simulate(connections => connections * MB, 10).control

  test('halves, and the limit does not grow for 10 s', () => {
    const control = grown()
    expect(control.pushBack(20_000, 'throttled')).toBe(8)
    for (let now = 20_500; now < 30_000; now += 500) control.observe({ goodput: now * MB, now, atLimit: true })
    expect(control.limit).toBe(8)
  })

  test('counts once for all that come within a second, and again after it', () => {
    const control = grown()
    for (let now = 20_000; now < 21_000; now += 50) control.pushBack(now, 'throttled')
    expect(control.limit).toBe(8)
    control.pushBack(21_500, 'refused')
    expect(control.limit).toBe(4)
  })

  test('never goes below 1, and the limit recovers after an outage', () => {
    const control = grown()
    for (let now = 20_000; now < 40_000; now += 1_000) control.pushBack(now, 'refused')
    expect(control.limit).toBe(1)
    for (let now = 40_500; now < 100_000; now += 500) {
      control.observe({ goodput: control.limit * MB, now, atLimit: true })
    }
    expect(control.limit).toBeGreaterThanOrEqual(15)
  })

  test('is what rising resets do, and a lone or steady reset does not', () => {
    const control = grown()
    const observe = (resets: number, now: number) => control.observe({ goodput: 16 * MB, now, atLimit: true, resets })
    expect(observe(1, 20_000)).toBe(16)
    expect(observe(0, 20_500)).toBe(16)
    expect(observe(3, 21_000)).toBe(8)
    expect(observe(3, 23_000)).toBe(8)
  })
})

test('the limit never grows while it is not used up, whatever the goodput', () => {
  const control = createConnectionControl()
  for (let now = 500; now < 60_000; now += 500) control.observe({ goodput: now * MB, now, atLimit: false })
  expect(control.limit).toBe(4)
})

test('the limit does not grow without a single byte', () => {
  expect(simulate(() => 0, 60).control.limit).toBe(4)
})

test('a maximum below 1 is refused; an initial limit above the maximum is lowered', () => {
  expect(() => createConnectionControl({ maximum: 0 })).toThrow(RangeError)
  expect(createConnectionControl({ initial: 9, maximum: 3 }).limit).toBe(3)
})

test('the limit stays between 1 and the maximum, grows by at most half, and halves at most', () => {
  const event = fc.oneof(
    fc.record({ goodput: fc.double({ min: 0, max: 1e9, noNaN: true }), atLimit: fc.boolean(), resets: fc.nat(4) }),
    fc.constant('push back' as const),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (events, maximum) => {
      const control = createConnectionControl({ maximum })
      let now = 0
      for (const one of events) {
        now += 500
        const before = control.limit
        if (one === 'push back') expect(control.pushBack(now, 'throttled')).toBeLessThanOrEqual(before)
        else control.observe({ ...one, now })
        expect(control.limit).toBeGreaterThanOrEqual(Math.max(1, Math.floor(before / 2)))
        expect(control.limit).toBeLessThanOrEqual(Math.min(maximum, before + Math.ceil(before / 2)))
      }
    }),
  )
})

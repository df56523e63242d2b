import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Run, Sequencer } from './sequence.ts'

/** Runs that tile a stretch, and an order in which they come. */
const shuffled = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 }).chain(lengths => {
  let offset = 7
  const runs = lengths.map(length => {
    const run = { offset, length }
    offset += length
    return run
  })
  return fc.tuple(fc.constant(runs), fc.shuffledSubarray(runs, { minLength: runs.length, maxLength: runs.length }))
})

describe('Sequencer', () => {
  test('hands out any permutation ascending and gap-free, each run once, as soon as it is due', () => {
    fc.assert(
      fc.property(shuffled, ([runs, order]) => {
        const sequencer = new Sequencer<Run>(7)
        const out: Run[] = []
        const seen = new Set<Run>()
        for (const run of order) {
          out.push(...sequencer.push(run))
          seen.add(run)
          const firstMissing = runs.find(one => !seen.has(one))
          const last = runs.at(-1) as Run
          expect(sequencer.head).toBe(firstMissing?.offset ?? last.offset + last.length)
          expect(sequencer.parked).toBe(seen.size - out.length)
        }
        expect(out).toEqual(runs)
      }),
    )
  })

  test('throws for bytes that come twice, wherever the overlap is', () => {
    fc.assert(
      fc.property(
        shuffled,
        fc.nat(),
        fc.integer({ min: -5, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (drawn, at, by, length) => {
          const [, order] = drawn
          const index = at % order.length
          const known = order[index] as Run
          const other = { offset: Math.max(0, known.offset + by), length }
          const overlaps = order
            .slice(0, index + 1)
            .some(run => other.offset < run.offset + run.length && run.offset < other.offset + length)
          fc.pre(overlaps)
          const sequencer = new Sequencer<Run>(7)
          for (const run of order.slice(0, index + 1)) sequencer.push(run)
          expect(() => sequencer.push(other)).toThrow(RangeError)
        },
      ),
    )
  })

  test('drain gives everything parked, once', () => {
    const sequencer = new Sequencer<Run>()
    sequencer.push({ offset: 10, length: 5 })
    sequencer.push({ offset: 5, length: 5 })
    expect(sequencer.drain()).toHaveLength(2)
    expect(sequencer.drain()).toEqual([])
    expect(sequencer.parked).toBe(0)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Backlog, isLarge } from './backlog.ts'
import type { Entry } from './manifest/entry.ts'

const MIB = 1 << 20

function entry(index: number, rest: Partial<Entry> = {}): Entry {
  return { index, uris: [`file:///${index}`], checksums: [], ...rest }
}

/** The order in which everything comes out; the largest is under way unless told otherwise. */
function order(backlog: Backlog, hasLarge: (taken: readonly Entry[]) => boolean = () => true): number[] {
  const taken: Entry[] = []
  for (let next = backlog.take(hasLarge(taken)); next; next = backlog.take(hasLarge(taken))) taken.push(next)
  return taken.map(({ index }) => index)
}

function filled(kind: 'size' | 'name' | 'manifest', entries: readonly Entry[]): Backlog {
  const backlog = new Backlog(kind)
  for (const one of entries) backlog.push(one)
  return backlog
}

describe('Backlog', () => {
  test('in order manifest gives entries as listed', () => {
    expect(order(filled('manifest', [entry(0, { size: 9 }), entry(1, { size: 1 }), entry(2)]))).toEqual([0, 1, 2])
  })

  test('in order name compares paths, or URLs without one', () => {
    const entries = [entry(0, { path: 'b' }), entry(1, { path: 'a' }), entry(2, { uris: ['aa'] })]
    expect(order(filled('name', entries))).toEqual([1, 2, 0])
  })

  test('in order size gives small ones first and those of unknown size before all, as listed', () => {
    const entries = [entry(0, { size: 5 }), entry(1), entry(2, { size: 1 }), entry(3), entry(4, { size: 1 })]
    expect(order(filled('size', entries))).toEqual([1, 3, 2, 4, 0])
  })

  test('in order size begins the largest early, while none of the large ones is under way', () => {
    const entries = [10, 100, 1, 300, 70].map((size, index) => entry(index, { size: size * MIB }))
    const backlog = filled('size', entries)
    expect(backlog.take(false)?.index).toBe(3)
    expect(backlog.take(true)?.index).toBe(2)
    expect(backlog.take(true)?.index).toBe(0)
    expect(backlog.take(false)?.index).toBe(1)
    expect(order(backlog)).toEqual([4])
  })

  test('does not call a small one large because it is the largest', () => {
    const backlog = filled('size', [entry(0, { size: 9 }), entry(1, { size: 5 })])
    expect(order(backlog, () => false)).toEqual([1, 0])
    expect(isLarge(entry(0, { size: 64 * MIB }))).toBe(true)
    expect(isLarge(entry(0, { size: 64 * MIB - 1 }))).toBe(false)
    expect(isLarge(entry(0))).toBe(false)
  })

  test.each(['size', 'name', 'manifest'] as const)('a lower priority goes first in order %s', kind => {
    const entries = [entry(0), entry(1, { priority: -1, size: 99 }), entry(2, { priority: 5 }), entry(3)]
    expect(order(filled(kind, entries))).toEqual([1, 0, 3, 2])
  })

  test('gives every entry once and sorted, however pushes and takes are mixed', () => {
    const steps = fc.array(fc.oneof(fc.nat(20), fc.constant('take' as const)), { maxLength: 3000, size: 'max' })
    fc.assert(
      fc.property(steps, all => {
        const backlog = new Backlog('size')
        const waiting: Entry[] = []
        let index = 0
        const take = () => {
          const best = waiting.toSorted((a, b) => (a.size as number) - (b.size as number) || a.index - b.index)[0]
          if (best) waiting.splice(waiting.indexOf(best), 1)
          expect(backlog.take(true)).toBe(best)
          expect(backlog.length).toBe(waiting.length)
        }
        for (const step of all) {
          if (step === 'take') take()
          else {
            const one = entry(index++, { size: step })
            waiting.push(one)
            backlog.push(one)
          }
        }
        while (waiting.length > 0) take()
        expect(backlog.take(false)).toBeUndefined()
      }),
      { numRuns: 20 },
    )
  })

  test('keeps its order over thousands of takes, and forgets everything when cleared', () => {
    const backlog = filled(
      'manifest',
      [...Array(5000).keys()].map(index => entry(index)),
    )
    for (let index = 0; index < 3000; index++) expect(backlog.take(true)?.index).toBe(index)
    backlog.push(entry(5000))
    expect(backlog.length).toBe(2001)
    expect(backlog.take(true)?.index).toBe(3000)
    backlog.clear()
    expect(backlog.length).toBe(0)
    expect(backlog.take(true)).toBeUndefined()
    backlog.push(entry(7))
    expect(backlog.take(true)?.index).toBe(7)
  })
})

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { foldName, NameRegistry } from './registry.ts'

describe('NameRegistry', () => {
  test('gives a name once and says who has it', () => {
    const names = new NameRegistry()
    expect(names.claim('a/b', 3)).toBeUndefined()
    expect(names.claim('a/c', 4)).toBeUndefined()
    expect(names.claim('a/b', 5)).toMatchObject({ kind: 'same', index: 3, problem: expect.stringContaining('entry 4') })
  })

  test.each([
    ['Data/A.fits', 'data/a.FITS'],
    ['caf\u00e9', 'cafe\u0301'],
    ['CAF\u00c9', 'cafe\u0301'],
    ['straße', 'STRASSE'],
    ['ΣΑΣ', 'σας'],
    ['\u212bngström', 'ångström'],
  ])('takes %j and %j for twins', (one, other) => {
    const names = new NameRegistry()
    names.claim(one, 0)
    expect(names.claim(other, 1)).toMatchObject({ kind: 'same', index: 0 })
  })

  test('refuses a file where a directory is, and the other way round', () => {
    const names = new NameRegistry()
    names.claim('a/b/c', 0)
    expect(names.claim('a/b', 1)).toMatchObject({ kind: 'is-directory', index: 0 })
    expect(names.claim('A', 2)).toMatchObject({ kind: 'is-directory', index: 0 })
    names.claim('x', 3)
    expect(names.claim('X/y/z', 4)).toMatchObject({ kind: 'parent-is-file', index: 3 })
  })

  test('keeps nothing of what it refused', () => {
    const names = new NameRegistry()
    names.claim('x', 0)
    names.claim('x/y/z', 1)
    expect(names.claim('y', 2)).toBeUndefined()
    expect(names.claim('x', 3)).toMatchObject({ kind: 'same', index: 0 })
    expect(names.size).toBe(2)
  })

  test('refuses an index that its cells cannot hold', () => {
    expect(() => new NameRegistry().claim('a', 2 ** 31)).toThrow(RangeError)
    expect(new NameRegistry().claim('a', 2 ** 31 - 2)).toBeUndefined()
  })

  test('agrees with a plain model on any claims', () => {
    const segment = fc.constantFrom('a', 'A', 'b', 'é', 'e\u0301', 'c')
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
    fc.assert(
      fc.property(fc.array(path, { maxLength: 60 }), paths => {
        const names = new NameRegistry()
        const files = new Set<string>()
        for (const [index, claimed] of paths.entries()) {
          const folded = foldName(claimed)
          const inTheWay = [...files].some(
            file => file === folded || file.startsWith(`${folded}/`) || folded.startsWith(`${file}/`),
          )
          expect(names.claim(claimed, index) !== undefined).toBe(inTheWay)
          if (!inTheWay) files.add(folded)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('holds a million names in 30 MB outside the heap and finds every one of them', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    collect()
    const before = process.memoryUsage().heapUsed
    const names = new NameRegistry()
    const name = (index: number) => `night ${index % 1000}/spectrum-${index}.fits`
    let refused = 0
    for (let index = 0; index < 1_000_000; index++) if (names.claim(name(index), index)) refused++
    collect()
    expect(refused).toBe(0)
    expect(names.size).toBe(1_001_000)
    expect(names.byteLength).toBeLessThanOrEqual(30 * 1024 * 1024)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024)
    for (let index = 0; index < 1_000_000; index += 997) expect(names.claim(name(index), 0)).toMatchObject({ index })
  })
})

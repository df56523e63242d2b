import { resolve, sep } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../manifest/entry.ts'
import { type NamePlanOptions, type Placement, planNames } from './plan.ts'
import { foldName } from './registry.ts'
import { resolveTarget } from './target.ts'

const md5 = (letter: string) => ({ algorithm: 'md5' as const, value: letter.repeat(32) })

let next = 0
/** Its id is another one for each call, unless told. */
function entry(path?: string, rest: Partial<Entry> = {}): Entry {
  const index = rest.index ?? next++
  const id = rest.id ?? `dg.1/${index}`
  return { index, id, uris: [`drs:${id}`], checksums: [], path, ...rest }
}

function pathsOf(names: readonly (string | undefined)[], options?: NamePlanOptions): (string | undefined)[] {
  const plan = planNames(options)
  return names.map((name, index) => pathOf(plan.place(entry(name, { index }))))
}

function pathOf(placement: Placement): string | undefined {
  return placement.status === 'placed' ? placement.path : placement.status
}

describe('planNames() lays out', () => {
  const guid = 'dg.4503/ab12'
  const one = entry('run 1/a.tar.gz', {
    index: 6,
    id: guid,
    uris: ['drs://Commons.org:8443/dg.4503%2Fab12'],
    extra: { subject_id: 'p/7' },
  })

  test.each([
    ['original', 'run 1/a.tar.gz'],
    ['guid', 'dg.4503_ab12'],
    ['combined', 'dg.4503_ab12_run 1/a.tar.gz'],
    ['tree', 'dg.4503_ab12/run 1/a.tar.gz'],
    ['{subject_id}/{stem}-{index}{ext}', 'p_7/a-7.tar.gz'],
    ['{host}/{name}', 'Commons.org_8443/run 1/a.tar.gz'],
  ])('%s', (layout, path) => {
    expect(planNames({ layout }).place(one)).toEqual({ status: 'placed', path })
  })

  test('an id that is written as a DRS URI, without its place', () => {
    const uri = 'drs://host.org/dg.4503%2Fab12'
    expect(pathOf(planNames({ layout: 'guid' }).place(entry('a', { id: uri, uris: [uri] })))).toBe('dg.4503_ab12')
  })

  test('entries without an id by their names, where the id is wanted', () => {
    const { id: _, ...plain } = entry('d/a')
    expect(pathOf(planNames({ layout: 'tree' }).place(plain))).toBe('d/a')
  })

  test.each(['{nope}', 'no field', '{name', '{}', '{__proto__}', '{name}}'])('refuses the template %s', layout => {
    expect(() => planNames({ layout })).toThrow(expect.objectContaining({ code: 'Usage' }))
  })
})

describe('planNames() numbers names that are taken', () => {
  test('in the order of the list, before the extension, past names that are numbered already', () => {
    expect(pathsOf(['a.tar.gz', 'a.tar.gz', 'a_3.tar.gz', 'a.tar.gz', 'a_2.tar.gz', 'b', 'b'])).toEqual([
      'a.tar.gz',
      'a_2.tar.gz',
      'a_3.tar.gz',
      'a_4.tar.gz',
      'a_2_2.tar.gz',
      'b',
      'b_2',
    ])
  })

  test('and says from what', () => {
    const plan = planNames()
    plan.place(entry('a.bam'))
    expect(plan.place(entry('A.bam'))).toEqual({ status: 'placed', path: 'A_2.bam', renamedFrom: 'A.bam' })
    expect(plan.place(entry('x\u0001'))).toEqual({ status: 'placed', path: 'x_', renamedFrom: 'x\u0001' })
  })

  test('also where the volume folds case or Unicode forms, unless it keeps them', () => {
    const names = ['Straße', 'STRASSE', 'caf\u00e9', 'cafe\u0301', 'CAFÉ']
    expect(pathsOf(names)).toEqual(['Straße', 'STRASSE_2', 'caf\u00e9', 'café_2', 'CAFÉ_3'])
    expect(pathsOf(names, { isCaseSensitive: true })).toEqual(['Straße', 'STRASSE', 'caf\u00e9', 'café_2', 'CAFÉ'])
  })

  test('so that no name is a file and a directory, and files meant for one directory stay together', () => {
    expect(pathsOf(['a', 'a/b', 'a/c', 'x/y', 'x', 'A/b', 'a'])).toEqual([
      'a',
      'a_2/b',
      'a_2/c',
      'x/y',
      'x_2',
      'A_2/b_2',
      'a_3',
    ])
  })

  test('within 255 bytes', () => {
    const name = `${'é'.repeat(125)}x.bam`
    const [, second] = pathsOf([name, name])
    expect(Buffer.byteLength(second!)).toBeLessThanOrEqual(255)
    expect(second).toMatch(/_2\.bam$/)
  })

  test('a hundred thousand times in little time', () => {
    const plan = planNames()
    for (let index = 0; index < 100_000; index++) {
      const number = index === 0 ? '' : `_${index + 1}`
      const path = pathOf(plan.place(entry('data.txt', { index })))
      if (path !== `data${number}.txt`) expect(path).toBe(`data${number}.txt`)
      // Others in between, so that what is remembered of the last ones cannot be all of it.
      if (index % 20 === 0) plan.place(entry(`twin ${index % 5000}`, { index, id: `twin ${index}` }))
    }
  }, 60_000)

  test.each([
    ['skip', 'skipped', 'skipped'],
    ['error', 'refused', 'refused'],
    ['overwrite', 'a', 'refused'],
  ] as const)('or does as onConflict %s says', (onConflict, same, directory) => {
    expect(pathsOf(['a', 'a', 'a/b', 'c'], { onConflict })).toEqual(['a', same, directory, 'c'])
  })

  test('tells who overwrites', () => {
    const plan = planNames({ onConflict: 'overwrite' })
    expect(plan.place(entry('a'))).toEqual({ status: 'placed', path: 'a' })
    expect(plan.place(entry('a'))).toEqual({ status: 'placed', path: 'a', overwrites: true })
  })
})

describe('planNames() refuses unsafe names', () => {
  test.each(['../a', '/etc/passwd', 'C:\\a', '\\\\h\\s', 'a\0', '~/a'])(
    '%j, also behind a directory of the layout',
    name => {
      for (const layout of ['original', 'tree', '{host}/{name}', '{stem}']) {
        expect(planNames({ layout }).place(entry(name))).toMatchObject({
          status: 'refused',
          reason: 'unsafe_name',
          error: { code: 'PathUnsafe' },
        })
      }
      expect(planNames({ unsafeNames: 'rewrite' }).place(entry(name))).toMatchObject({
        status: 'placed',
        renamedFrom: name,
      })
    },
  )

  test('without taking a name, and naming the row', () => {
    const plan = planNames()
    const refused = plan.place(entry('b/../../a', { index: 4, line: 9, id: 'dg.1/x' }))
    expect(refused).toMatchObject({
      error: {
        message: 'Cannot name the file of row 5 (line 9), "dg.1/x" "b/../../a": it must not contain ".." as a segment',
      },
    })
    expect(pathOf(plan.place(entry('b')))).toBe('b')
  })
})

describe('planNames() knows objects again', () => {
  test('as duplicates of the first, which take no name', () => {
    const plan = planNames()
    const twice = { id: 'dg.1/a', size: 5, checksums: [md5('a')] }
    plan.place(entry('x', { ...twice, index: 3 }))
    expect(plan.place(entry('x', { ...twice, index: 9 }))).toEqual({ status: 'duplicate', duplicateOf: 3 })
    expect(plan.place(entry('y', { id: 'dg.1/a', index: 10 }))).toEqual({ status: 'duplicate', duplicateOf: 3 })
    expect(pathOf(plan.place(entry('y', { index: 11 })))).toBe('y')
  })

  test.each([
    ['size', { size: 5 }, { size: 6 }],
    ['MD5', { checksums: [md5('a')] }, { checksums: [md5('b')] }],
    ['both', { size: 5, checksums: [md5('a')] }, { size: 5, checksums: [md5('b')] }],
    [
      'only the SHA-256',
      { checksums: [{ algorithm: 'sha256', value: 'a'.repeat(64) }] },
      { checksums: [{ algorithm: 'sha256', value: 'b'.repeat(64) }] },
    ],
  ] as const)('as a conflict when %s differs', (_, one, other) => {
    const plan = planNames()
    plan.place(entry('x', { id: 'g', index: 0, ...one }))
    expect(plan.place(entry('x', { id: 'g', index: 1, ...other }))).toMatchObject({
      status: 'refused',
      reason: 'conflict',
      error: { code: 'Usage', message: expect.stringContaining('got others in row 1') },
    })
  })

  test('but not where one row does not say it, nor with digests of two algorithms', () => {
    const plan = planNames()
    plan.place(entry('x', { id: 'g', index: 0, size: 5, checksums: [md5('a')] }))
    const sha256 = { algorithm: 'sha256' as const, value: 'b'.repeat(64) }
    expect(plan.place(entry('x', { id: 'g', index: 1, checksums: [sha256] }))).toMatchObject({ status: 'duplicate' })
  })

  test('at one place only, and not parts of them', () => {
    const plan = planNames()
    expect(pathOf(plan.place(entry('a', { id: 'g', uris: ['drs://one.org/g'] })))).toBe('a')
    expect(pathOf(plan.place(entry('b', { id: 'g', uris: ['drs://two.org/g'] })))).toBe('b')
    expect(pathOf(plan.place(entry('c', { id: 'g', uris: ['drs://one.org/g'], range: { start: 0, end: 1 } })))).toBe(
      'c',
    )
  })

  test('never rows of URLs: what stands in two places is meant to', () => {
    const { id: _, ...plain } = entry('a', { uris: ['https://h/a'] })
    const plan = planNames()
    plan.place(plain)
    expect(pathOf(plan.place({ ...plain, path: 'b' }))).toBe('b')
  })

  test('and tells of equal contents under other ids', () => {
    const plan = planNames()
    const content = { size: 5, checksums: [md5('a')] }
    plan.place(entry('a', { index: 0, ...content }))
    expect(plan.place(entry('b', { index: 1, ...content }))).toEqual({ status: 'placed', path: 'b', sameContentAs: 0 })
    expect(plan.place(entry('c', { index: 2, ...content, size: 6 }))).toEqual({ status: 'placed', path: 'c' })
    expect(plan.knowsAllContents).toBe(true)
  })
})

describe('planNames() waits for names', () => {
  test('that the list does not tell, and takes them by the same rules', () => {
    const plan = planNames()
    const [one, other, third] = [entry(undefined, { id: 'dg.1/z' }), entry('d/'), entry(undefined)]
    expect([one, other, third].map(item => plan.place(item).status)).toEqual(['unnamed', 'unnamed', 'unnamed'])
    expect(pathOf(plan.place(entry('a')))).toBe('a')
    expect(plan.rename(one, 'a')).toEqual({ status: 'placed', path: 'a_2', renamedFrom: 'a' })
    expect(pathOf(plan.rename(other, 'a'))).toBe('d/a')
    expect(plan.rename(third, '../a')).toMatchObject({ status: 'refused', reason: 'unsafe_name' })
    expect(pathOf(plan.rename(one, ''))).toBe('dg.1_z')
  })

  test('only where the layout needs one', () => {
    expect(pathsOf([undefined], { layout: 'guid' })).toEqual(['dg.1_0'])
    expect(pathsOf([undefined], { layout: 'tree' })).toEqual(['unnamed'])
  })
})

describe('a plan, whatever the list says,', () => {
  const piece = fc.constantFrom(
    'a',
    'A',
    'b',
    'é',
    'e\u0301',
    '..',
    '.',
    '/',
    '/',
    '\\',
    ' ',
    'con',
    'C:',
    '~',
    '\0',
    '_2',
    '.x',
  )
  const name = fc.oneof(fc.string({ unit: piece, maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 8 }))
  const row = fc.record({
    path: fc.option(name, { nil: undefined }),
    id: fc.constantFrom('a/b', 'a_b', '..', 'c', 'C:x', 'é', '~'),
  })
  const options: fc.Arbitrary<NamePlanOptions> = fc.record({
    layout: fc.constantFrom(
      'original',
      'guid',
      'combined',
      'tree',
      '{host}/{stem}{ext}',
      '{subject_id}/{name}',
      '{guid}{index}',
    ),
    unsafeNames: fc.constantFrom('reject', 'rewrite'),
    onConflict: fc.constantFrom('rename', 'skip', 'error'),
    portable: fc.boolean(),
    isCaseSensitive: fc.boolean(),
  })

  function run(rows: readonly { path?: string | undefined; id: string }[], rules: NamePlanOptions): Placement[] {
    const plan = planNames(rules)
    return rows.map(({ path, id }, index) => {
      const item: Entry = { index, id, uris: [`drs:${id}#${index}`], path, checksums: [], extra: { subject_id: path } }
      const placement = plan.place(item)
      return placement.status === 'unnamed' ? plan.rename(item, `${id}/a`) : placement
    })
  }

  test('keeps every file inside the directory, and gives no two of them one path', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), options, (rows, rules) => {
        const root = resolve('/data')
        const fold = (path: string) => (rules.isCaseSensitive ? path : foldName(path))
        const files = new Set<string>()
        for (const placement of run(rows, rules)) {
          if (placement.status !== 'placed') continue
          expect(resolveTarget(root, placement.path).startsWith(root + sep)).toBe(true)
          expect(files.has(fold(placement.path))).toBe(false)
          files.add(fold(placement.path))
        }
        for (const file of files) {
          for (let at = file.indexOf('/'); at > 0; at = file.indexOf('/', at + 1))
            expect(files.has(file.slice(0, at))).toBe(false)
        }
      }),
      { numRuns: 1500 },
    )
  })

  test('is the same for the same list and options', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), options, (rows, rules) => {
        const [one, other] = [run(rows, rules), run(rows, rules)]
        expect(one.map(pathOf)).toEqual(other.map(pathOf))
      }),
    )
  })

  test('loses nothing to names that are only taken', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), rows => {
        for (const placement of run(rows, { unsafeNames: 'rewrite' })) expect(placement.status).toBe('placed')
      }),
    )
  })
})

test('open() lets entries lie below what was placed as a file', () => {
  const plan = planNames()
  const entry = (index: number, path: string) => ({
    index,
    id: `id-${index}`,
    uris: [`drs:id-${index}`],
    path,
    checksums: [],
  })
  plan.place(entry(0, 'bundle'))
  plan.place(entry(1, 'other'))
  plan.open('bundle')
  expect(plan.place(entry(2, 'bundle/a'))).toMatchObject({ path: 'bundle/a' })
  expect(plan.place(entry(3, 'bundle/deep/a'))).toMatchObject({ path: 'bundle/deep/a' })
  expect(plan.place(entry(4, 'other/a'))).toMatchObject({ path: 'other_2/a' })
})

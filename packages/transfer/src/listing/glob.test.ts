import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasWildcard, parseGlob } from './glob.ts'

describe('parseGlob()', () => {
  test.each([
    ['2024/run*/x.g3', '2024/', 'run', true],
    ['2024/**/*.g3', '2024/', '', true],
    ['*.txt', '', '', false],
    ['dir/a[12].txt', 'dir/', 'a', false],
    ['dir/', 'dir/', '', false],
    ['dir/name', 'dir/', 'name', false],
  ])('%s begins at %s with %s', (text, base, prefix, isDeep) => {
    expect(parseGlob(text)).toMatchObject({ base, prefix, isDeep })
  })

  test.each([
    ['*.txt', ['a.txt', '.txt', 'a.b.txt'], ['a.txt.gz', 'd/a.txt', 'atxt']],
    ['a?c', ['abc', 'a.c', 'aéc', 'a😀c'], ['ac', 'abbc', 'a/c']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x', 'aax']],
    ['[!a-c]x', ['dx', '^x'], ['ax', 'x']],
    ['[]^-]x', [']x', '^x', '-x'], ['ax']],
    ['**', ['a', 'a/b', 'a/b/c'], []],
    ['**/*.g3', ['a.g3', 'x/a.g3', 'x/y/a.g3'], ['a.g4', 'x/a.g3/y']],
    ['*/**', ['a/b', 'a/b/c'], ['a']],
    ['**/x/**', ['x/a', 'b/x/a', 'x/x/a', 'b/x/c/d'], ['x', 'b/x', 'a/b/x']],
    ['a/**/b', ['b', 'x/b', 'x/y/b'], ['x', 'b/x']],
    ['a+(b).*', ['a+(b).c'], ['aab.c']],
    ['**/2024-*/*.nc', ['2024-1/a.nc', 'x/2024-1/a.nc'], ['2024-1/x/a.nc', 'x/a.nc']],
  ])('%s', (text, yes, no) => {
    const glob = parseGlob(text)
    for (const path of yes) expect(glob.matches(path), path).toBe(true)
    for (const path of no) expect(glob.matches(path), path).toBe(false)
  })

  test('enters the directories that may hold a match, and no others', () => {
    const glob = parseGlob('run*/raw/*.g3')
    expect(['run1/', 'run1/raw/'].map(glob.enters)).toEqual([true, true])
    expect(['x/', 'run1/cal/', 'run1/raw/deep/'].map(glob.enters)).toEqual([false, false, false])
    expect(parseGlob('**/x/*.g3').enters('any/depth/')).toBe(true)
  })

  test('decodes what is not a wildcard', () => {
    const glob = parseGlob('a%20b*%2A.txt', decodeURIComponent)
    expect(glob.prefix).toBe('a b')
    expect(glob.matches('a b and*.txt')).toBe(true)
    expect(glob.matches('a b and.txt')).toBe(false)
  })

  test('takes no longer than the product of pattern and name, whatever a server calls its files', () => {
    const started = performance.now()
    expect(parseGlob(`${'*a'.repeat(60)}b`).matches('a'.repeat(200))).toBe(false)
    expect(parseGlob(`${'**/d/'.repeat(12)}zz`).matches(`${'d/'.repeat(60)}z`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(1000)
  })

  test('refuses what is no pattern', () => {
    expect(() => parseGlob('[z-a]')).toThrow(expect.objectContaining({ code: 'Usage' }))
  })

  test('a directory above a match is always entered, and a match begins with the prefix', () => {
    const name = fc.stringMatching(/^[ab*?]{1,3}$/)
    fc.assert(
      fc.property(
        fc.array(fc.oneof(name, fc.constant('**')), { minLength: 1, maxLength: 4 }),
        fc.array(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 1, maxLength: 5 }),
        (pattern, names) => {
          const glob = parseGlob(pattern.join('/'))
          const path = names.join('/')
          if (!hasWildcard(pattern.join('/')) || !glob.matches(path)) return
          expect(path.startsWith(glob.prefix)).toBe(true)
          for (let depth = 1; depth < names.length; depth++) {
            expect(glob.enters(`${names.slice(0, depth).join('/')}/`)).toBe(true)
          }
        },
      ),
    )
  })
})

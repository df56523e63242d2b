import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SafePathOptions, safePath } from './safe-path.ts'
import { pathProblem } from './target.ts'

const long = 'x'.repeat(300)

describe('safePath()', () => {
  test.each<[string, string]>([
    ['a.sav', 'a.sav'],
    ['run 1/é/a.fits', 'run 1/é/a.fits'],
    ['a\\b/c', 'a/b/c'],
    ['a//./b', 'a/b'],
    ['e\u0301', 'é'],
    ['a\u0007b\u202e', 'a_b_'],
    ['a\nb', 'a_b'],
    ['a.. ', 'a___'],
    ['...', '___'],
    ['nul.txt/a', '_nul.txt/a'],
    ['ab:c?', 'ab:c?'],
    ['\ud800', '\ufffd'],
    [`${long}.tar.gz`, `${'x'.repeat(248)}.tar.gz`],
    [`${'é'.repeat(200)}.bam`, `${'é'.repeat(125)}.bam`],
    ['', ''],
    ['./', ''],
  ])('makes %j safe', (name, path) => {
    expect(safePath(name)).toEqual({ path })
  })

  test.each<[string, string]>([
    ['../a', '..'],
    ['a/../b', '..'],
    ['a\\..\\b', '..'],
    ['..', '..'],
    ['/etc/passwd', 'absolute'],
    ['\\a', 'absolute'],
    ['\\\\host\\share\\a', 'UNC'],
    ['//host/a', 'UNC'],
    ['C:\\a', 'drive letter'],
    ['c:a', 'drive letter'],
    ['a\0b', 'NUL'],
    ['~/a', 'home directory'],
    ['~root/a', 'home directory'],
    [`${'a/'.repeat(2100)}b`, 'at most 4096 bytes'],
  ])('refuses %j', (name, met) => {
    expect(safePath(name)).toEqual({ problem: expect.stringContaining(met) })
  })

  test.each<[string, string]>([
    ['../a', '_/a'],
    ['/etc/passwd', '_etc/passwd'],
    ['\\\\host\\share\\a', '_host/share/a'],
    ['C:\\a', 'C_/a'],
    ['./C:', 'C_'],
    ['./~/a', '_/a'],
    ['a\0b', 'a_b'],
    ['~/a', '_/a'],
  ])('rewrites %j', (name, path) => {
    expect(safePath(name, { rewrite: true })).toEqual({ path })
  })

  test('replaces what Windows does not take, when told to', () => {
    expect(safePath('a<b>:"c|d?*/e', { portable: true })).toEqual({ path: 'a_b___c_d__/e' })
  })

  test('never answers with a path that resolveTarget would refuse, and leaves its own answers alone', () => {
    const unit = fc.oneof(
      fc.constantFrom(
        '/',
        '\\',
        '.',
        '..',
        ' ',
        '~',
        ':',
        'C:',
        '\0',
        '\u202e',
        'con',
        'nul.',
        'é',
        'e\u0301',
        '\ud800',
        long,
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    const options: fc.Arbitrary<SafePathOptions> = fc.record({ rewrite: fc.boolean(), portable: fc.boolean() })
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), options, (name, rules) => {
        const safe = safePath(name, rules)
        if ('problem' in safe) return
        if (safe.path !== '') expect(pathProblem(safe.path)).toBeUndefined()
        expect(safePath(safe.path, rules)).toEqual(safe)
      }),
      { numRuns: 3000 },
    )
  })
})

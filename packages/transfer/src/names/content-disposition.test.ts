import { describe, expect, test } from 'vitest'
import { dispositionNames } from './content-disposition.ts'

describe('dispositionNames()', () => {
  const cases: [claim: string, header: string, names: string[]][] = [
    ['reads a token', 'attachment; filename=a.fits', ['a.fits']],
    ['reads a quoted string', 'attachment; filename="a b;c.fits"', ['a b;c.fits']],
    ['resolves quoted quotes and backslashes', String.raw`attachment; filename="a\"b\\c"`, [String.raw`a"b\c`]],
    [
      'keeps the separators of bare Windows paths',
      String.raw`attachment; filename="C:\dir\x.txt"`,
      [String.raw`C:\dir\x.txt`],
    ],
    ['prefers filename* wherever it stands', `a; filename="e.txt"; filename*=UTF-8''%e2%82%ac.txt`, ['€.txt', 'e.txt']],
    ['reads ISO-8859-1 and a language', `a; filename*=iso-8859-1'en'%A3%20rates`, ['£ rates']],
    ['passes over a filename* that is not UTF-8', `a; filename*=UTF-8''%ff%fe; filename=b`, ['b']],
    ['passes over a filename* with a broken escape', `a; filename*=UTF-8''%e2%8; filename=b`, ['b']],
    ['passes over a filename* of another charset', `a; filename*=utf-16''x; filename=b`, ['b']],
    ['ignores case in parameter names', 'Attachment; FileName=a', ['a']],
    ['takes the first of two equal names', 'a; filename=b; filename=c', ['b']],
    ['accepts a header without a type', 'filename="a"', ['a']],
    ['ignores a name inside another value', 'foo; bar filename="asf"; blah', []],
    ['ignores an empty value', 'foo; filename=; blah', []],
    ['accepts a quote that is never closed', 'a; filename="b.txt', ['b.txt']],
    ['takes raw UTF-8 bytes for what they are', `a; filename="${Buffer.from('é.txt').toString('latin1')}"`, ['é.txt']],
    ['leaves Latin-1 that is no UTF-8', 'a; filename="\u00e9.txt"', ['\u00e9.txt']],
    ['offers nothing for an empty header', '', []],
  ]
  test.each(cases)('%s', (_, header, names) => {
    expect(dispositionNames(header)).toEqual(names)
  })

  test('is linear in a hostile header', () => {
    const started = performance.now()
    dispositionNames(`a${';filename="\\'.repeat(100_000)}`)
    dispositionNames(`a; filename*=utf-8'${'a'.repeat(200_000)}`)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

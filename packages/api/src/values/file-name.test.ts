import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LibrarianError } from '../errors.ts'
import { fileNameProblem, MAX_PART_BYTES, nestsWith, parseFileName, parsePartName } from './file-name.ts'

describe('parseFileName()', () => {
  test.each([
    'a',
    'dir/f1.bin',
    'night 1/a.fits',
    '.hidden',
    'a/.hidden/b',
    'a..b',
    '...a',
    'con-tent.txt',
    'a~',
    '~x',
    'xy:z',
    'ab:c',
    'Ångström/µ',
    '観測/データ',
    '🔭.png',
    '-rf',
    '$(reboot)',
    '%2e%2e',
    'a\u200db',
    'x'.repeat(255),
    'nightly/com10.dat',
    '.arrier',
  ])('takes %j unchanged', name => {
    expect(parseFileName(name)).toBe(name)
  })

  test.each([
    ['', 'must not be empty'],
    ['..', 'contain ".."'],
    ['../a', 'contain ".."'],
    ['a/..', 'contain ".."'],
    ['a/../b', 'contain ".."'],
    ['/etc/passwd', 'absolute'],
    ['//a', 'absolute'],
    ['~', 'home'],
    ['~/a', 'home'],
    ['~root/a', 'home'],
    ['a\\b', 'backslash'],
    ['..\\a', 'backslash'],
    ['C:', 'drive'],
    ['c:a', 'drive'],
    ['C:/a', 'drive'],
    ['a\0b', 'U+0000'],
    ['a\nb', 'U+000A'],
    ['a\u001b[2J', 'U+001B'],
    ['a\u0085b', 'U+0085'],
    ['a\u202etxt.exe', 'U+202E'],
    ['a\u2066b', 'U+2066'],
    ['a\u2028b', 'U+2028'],
    ['a//b', 'empty part'],
    ['a/', 'empty part'],
    ['.', 'contain "."'],
    ['./a', 'contain "."'],
    ['a/.', 'contain "."'],
    ['a/./b', 'contain "."'],
    ['a.', 'dot or a space'],
    ['a./b', 'dot or a space'],
    ['a ', 'dot or a space'],
    ['a /b', 'dot or a space'],
    ['con', 'reserved'],
    ['a/NUL.txt', 'reserved'],
    ['Com1', 'reserved'],
    ['lpt²', 'reserved'],
    ['aux .gz', 'reserved'],
    ['CONIN$', 'reserved'],
    ['x'.repeat(256), `${MAX_PART_BYTES} bytes`],
    ['é'.repeat(128), `${MAX_PART_BYTES} bytes`],
    [`${'x'.repeat(200)}/${'y'.repeat(56)}`, '256 characters'],
    ['A\u030angstrom', 'NFC'],
    ['a\ud800b', 'surrogate'],
    ['\udc00', 'surrogate'],
    ['.arriero', '.arriero'],
    ['.arriero-trash/x', '.arriero'],
    ['.ARRIERO/x', '.arriero'],
    ['.arrieroX', '.arriero'],
  ])('refuses %j, naming the rule (%s)', (name, rule) => {
    const attempt = (): string => parseFileName(name)
    expect(attempt).toThrow(LibrarianError)
    expect(attempt).toThrow(expect.objectContaining({ code: 'BadName', message: expect.stringContaining(rule) }))
  })

  test('counts characters, not units: 256 of them are allowed, more are not', () => {
    const part = '🔭'.repeat(63)
    expect(fileNameProblem(`${part}/${part}/${part}/${part}`)).toBe(undefined)
    expect(fileNameProblem(`${part}/${part}/${part}/${part}y`)).toBe(undefined)
    expect(fileNameProblem(`${part}/${part}/${part}/${part}yz`)).toContain('256 characters')
  })

  test('shows no control character in its message', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        try {
          parseFileName(name)
        } catch (error) {
          expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
        }
      }),
    )
  })

  test('lets no name leave its root, whatever it is joined with', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', '~', 'C:', 'a', 'nul', ' ', 'a\\..\\b', '..\\', '...'),
      fc.string({ unit: 'binary', maxLength: 6 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), parts => {
        const name = parts.join('/')
        if (fileNameProblem(name) !== undefined) return
        const url = new URL(name.split('/').map(encodeURIComponent).join('/'), 'file:///kept/store/')
        expect(decodeURIComponent(url.pathname)).toBe(`/kept/store/${name}`)
        expect(name.normalize('NFC')).toBe(name)
        expect(name.isWellFormed()).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

test('parsePartName() takes a single part only', () => {
  expect(parsePartName('f1.bin')).toBe('f1.bin')
  expect(() => parsePartName('a/b')).toThrow(expect.objectContaining({ code: 'BadName' }))
  expect(() => parsePartName('..')).toThrow(expect.objectContaining({ code: 'BadName' }))
})

describe('nestsWith()', () => {
  test.each([
    ['a', 'a', true],
    ['a', 'a/b', true],
    ['a/b', 'a', true],
    ['a/b/c', 'a', true],
    ['a', 'ab', false],
    ['a/b', 'a/c', false],
    ['a/b', 'a/bc', false],
  ])('%j and %j: %j', (a, b, nests) => {
    expect(nestsWith(a, b)).toBe(nests)
    expect(nestsWith(b, a)).toBe(nests)
  })
})

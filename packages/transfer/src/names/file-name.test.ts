import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TransferError } from '../errors.ts'
import { fileNameFor, sanitizeFileName } from './file-name.ts'
import { pathProblem } from './target.ts'

const url = 'https://host/dir/from-url.txt'

describe('fileNameFor()', () => {
  test.each([
    ['bar; filename="xyzy-1"; blah', 'https://host/xyzy-0', 'xyzy-1'],
    ['foo; bar filename="asf"; blah', 'https://host/xyzy-2', 'xyzy-2'],
    ['foo; filename=; blah', 'https://host/xyzy-3', 'xyzy-3'],
    [undefined, 'https://host/xyzy-4', 'xyzy-4'],
  ])('does as getm for %j on %s', (contentDisposition, from, name) => {
    expect(fileNameFor({ contentDisposition, url: from })).toBe(name)
  })

  test('prefers the caller, then filename*, then filename, then the URL, then download', () => {
    const contentDisposition = `a; filename=plain; filename*=UTF-8''star`
    expect(fileNameFor({ suggested: 'mine', contentDisposition, url })).toBe('mine')
    expect(fileNameFor({ contentDisposition, url })).toBe('star')
    expect(fileNameFor({ contentDisposition: 'a; filename=plain', url })).toBe('plain')
    expect(fileNameFor({ url })).toBe('from-url.txt')
    expect(fileNameFor({ url: 'https://host/' })).toBe('download')
  })

  test('passes over a candidate of which nothing is left', () => {
    expect(fileNameFor({ suggested: '..', contentDisposition: 'a; filename="../.."', url })).toBe('from-url.txt')
  })

  test('throws under strict instead of inventing a name, without showing secrets', () => {
    const act = () => fileNameFor({ url: 'https://me:pw@host/?sig=abc', strict: true })
    expect(act).toThrow(TransferError)
    expect(act).toThrow(/^(?!.*(pw|abc)).*https:\/\/host\//)
  })

  test.each([
    ['https://h/a/b.txt?x=/c#d/e', 'b.txt'],
    ['gs://h/a/b%20c#1?.txt', 'b%20c#1?.txt'],
    ['gs://h/a/b#1712345678000001', 'b'],
    ['gs://h/a/', 'a'],
    ['gs://h/', 'download'],
    ['gs://h', 'download'],
    ['https://h/a/b//', 'b'],
    ['https://h/a%20b%2Fc.txt', 'c.txt'],
    ['https://h/100%', '100%'],
    ['https://h/%252e', '%2e'],
    ['https://h', 'download'],
    ['s3://bucket/key/x.fits', 'x.fits'],
    ['s3://bucket', 'download'],
    ['file:/data/x', 'x'],
  ])('takes the last segment of %s, decoded once', (from, name) => {
    expect(fileNameFor({ url: from })).toBe(name)
  })
})

describe('sanitizeFileName()', () => {
  test.each([
    ['../../x', 'x'],
    ['/etc/passwd', 'passwd'],
    [String.raw`C:\x`, 'x'],
    ['C:x', 'x'],
    ['con', '_con'],
    ['NUL.tar.gz', '_NUL.tar.gz'],
    ['com1 .txt', '_com1 .txt'],
    ['console', 'console'],
    ['a. . .', 'a'],
    ['a\u0000b\u001b[31m\u202egpj.exe', 'ab[31mgpj.exe'],
    ['.bashrc', '.bashrc'],
    ['~user', '~user'],
    ['\ud800x', '\ufffdx'],
  ])('makes %j to %j', (text, name) => {
    expect(sanitizeFileName(text)).toBe(name)
  })

  test.each(['', '.', '..', '...', ' . ', 'a/', '..\\', '\u0000', '~', 'C:'])('leaves nothing of %j', text => {
    expect(sanitizeFileName(text)).toBeUndefined()
  })

  test('cuts to 255 bytes between characters and keeps the extension', () => {
    expect(sanitizeFileName(`${'a'.repeat(300)}.tar.gz`)).toBe(`${'a'.repeat(248)}.tar.gz`)
    const name = sanitizeFileName(`${'€'.repeat(200)}.fits`)!
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
    expect(name).toMatch(/^€+\.fits$/)
    expect(sanitizeFileName('b'.repeat(300))).toBe('b'.repeat(255))
    expect(sanitizeFileName(`a.${'b'.repeat(300)}`)).toHaveLength(255)
  })

  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('.', '/', '\\', ' ', '~', 'a', ':', '\u0000', '\u202e', '€', 'con', 'nul') }),
    fc.string({ unit: 'grapheme', minLength: 100, maxLength: 600 }),
    fc
      .tuple(
        fc.constantFrom('con', 'a'),
        fc.string({ unit: fc.constantFrom(' ', '.', 'x', '😀'), minLength: 200, maxLength: 400 }),
      )
      .map(parts => parts.join('')),
  )

  test('whatever comes in, a safe single segment or nothing comes out, and again the same', () => {
    fc.assert(
      fc.property(hostile, text => {
        const name = sanitizeFileName(text)
        if (name === undefined) return
        expect(name).not.toMatch(/[/\\\p{Cc}]/u)
        expect(['', '.', '..']).not.toContain(name)
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
        expect(sanitizeFileName(name)).toBe(name)
        expect(pathProblem(name)).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })

  test('whatever a server says, fileNameFor() gives a name that resolveTarget() accepts', () => {
    fc.assert(
      fc.property(hostile, hostile, (header, path) => {
        const name = fileNameFor({ contentDisposition: `a; filename="${header}"`, url: `https://h/${path}` })
        expect(pathProblem(name)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })
})

test('keys of object stores are taken as they are, without the id of a version', () => {
  expect(fileNameFor({ url: 's3://bucket/a/b%41 #1?.fits' })).toBe('b%41 #1?.fits')
  expect(fileNameFor({ url: 's3://bucket/a/b.fits?versionId=3HL4.k_q' })).toBe('b.fits')
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseRange } from './byte-range.ts'
import { judgeConditions, mayUseRange } from './conditions.ts'
import { contentDisposition } from './content-disposition.ts'
import { formatDigests, parseDigests, parseUploadChecksum } from './digest-fields.ts'

describe('chooseRange()', () => {
  test.each([
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=2-', { start: 2, end: 10 }],
    ['bytes=2-100', { start: 2, end: 10 }],
    ['bytes=-3', { start: 7, end: 10 }],
    ['bytes=-100', { start: 0, end: 10 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', 'whole'],
    ['bytes=0-1,3-4', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=-', 'whole'],
    ['lines=0-1', 'whole'],
    [undefined, 'whole'],
  ] as const)('%s of ten bytes', (header, choice) => {
    expect(chooseRange(header, 10)).toEqual(choice)
  })

  test('never leaves the representation, whatever is asked', () => {
    fc.assert(
      fc.property(fc.string(), fc.bigInt({ min: 0n }), fc.bigInt({ min: 0n }), fc.nat(), (text, a, b, size) => {
        for (const header of [`bytes=${text}`, `bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${b}`]) {
          const choice = chooseRange(header, size)
          if (typeof choice === 'string') continue
          expect(0 <= choice.start && choice.start < choice.end && choice.end <= size).toBe(true)
        }
      }),
    )
  })
})

describe('judgeConditions()', () => {
  test.each([
    [{ 'if-match': '"a"' }, 'proceed'],
    [{ 'if-match': '"b", "a"' }, 'proceed'],
    [{ 'if-match': 'W/"a"' }, 'failed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': '"b"' }, 'failed'],
    [{ 'if-none-match': '"a"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"a"' }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': '"b"' }, 'proceed'],
    [{ 'if-match': '"b"', 'if-none-match': '"a"' }, 'failed'],
  ] as const)('%j of "a"', (headers, condition) => {
    expect(judgeConditions(headers, '"a"')).toBe(condition)
  })

  test('a range is used only with the very tag', () => {
    expect(mayUseRange({}, '"a"')).toBe(true)
    expect(mayUseRange({ 'if-range': '"a"' }, '"a"')).toBe(true)
    expect(mayUseRange({ 'if-range': 'W/"a"' }, '"a"')).toBe(false)
    expect(mayUseRange({ 'if-range': 'Sat, 29 Oct 1994 19:43:31 GMT' }, '"a"')).toBe(false)
  })
})

describe('contentDisposition()', () => {
  test('carries any name without letting it end the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        const header = contentDisposition(name)
        expect(header).toMatch(
          /^attachment; filename="[ !#-$&-[\]-~]*"(?:; filename\*=UTF-8''[!#-&+-.0-9A-Z^_`a-z|~]*)?$/,
        )
      }),
      { examples: [['a"; filename="b'], ['a\r\nSet-Cookie: b'], ['\ud800'], ['%41']] },
    )
  })

  test('gives the name back to readers of RFC 8187', () => {
    const name = "Ω 'night' (1)*.fits"
    const encoded = /filename\*=UTF-8''(.*)$/.exec(contentDisposition(name))?.[1] as string
    expect(decodeURIComponent(encoded)).toBe(name)
  })
})

describe('digest fields', () => {
  const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const field = 'sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:'

  test('are those of RFC 9530, without what it has no name for', () => {
    expect(formatDigests({ sha256, xxh3: '06b05ab6733a618578af5f94892f3950' })).toBe(field)
    expect(formatDigests({ xxh3: '06b05ab6733a618578af5f94892f3950' })).toBeUndefined()
    expect(parseDigests(`crc32c=:AAAAAA==:, ${field}`)).toEqual({
      algorithm: 'sha256',
      digest: Buffer.from(sha256, 'hex'),
    })
    expect(parseDigests('crc32c=:AAAAAA==:')).toBeUndefined()
    expect(parseDigests('sha-256=:AAAA:')).toBe('bad')
    expect(parseDigests('sha-256=abc')).toBe('bad')
  })

  test('of tus are an algorithm and base64', () => {
    expect(parseUploadChecksum('md5 kAFQmDzST7DWlj99KOF/cg==')).toMatchObject({ algorithm: 'md5' })
    expect(parseUploadChecksum('crc32 AAAAAA==')).toBe('unknown')
    expect(parseUploadChecksum('md5 AAAA')).toBe('bad')
    expect(parseUploadChecksum('md5')).toBe('bad')
  })
})

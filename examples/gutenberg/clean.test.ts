import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CleanOptions, clean, encodingOf } from './clean.ts'

const start = '*** START OF THIS PROJECT GUTENBERG EBOOK ***'
const end = "End of Project Gutenberg's"

function cleaned(text: string, options?: CleanOptions): string {
  return Buffer.from(clean(Buffer.from(text, 'latin1'), options).content).toString('utf8')
}

describe('clean()', () => {
  test('takes the lines between the markers, which are no part of it', () => {
    expect(cleaned(`head\n${start}\n\none\ntwo\n\n${end}\nlicence\n`)).toBe('\none\ntwo\n\n')
  })

  test('reads ISO-8859-1 and writes UTF-8', () => {
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('')
    expect(cleaned(`${start}\n${all.replace(/[\r\n]/g, '')}\n`)).toBe(`${all.replace(/[\r\n]/g, '')}\n`)
    expect(clean(Buffer.from(`${start}\nfa\xe7ade\n`, 'latin1')).content).toEqual(Buffer.from('façade\n'))
  })

  test.each([
    ['LF', 'one\n\ntwo\n', 'one\n\ntwo\n', 'one\n\n\n\ntwo\n\n'],
    ['CRLF', 'one\r\ntwo\r\n', 'one\ntwo\n', 'one\n\ntwo\n\n'],
    ['CR', 'one\rtwo\r\r', 'one\ntwo\n\n', 'one\n\ntwo\n\n\n\n'],
    ['a last line without an end', 'one\r\ntwo', 'one\ntwo', 'one\n\ntwo\n'],
    ['only such a line', 'one', 'one', 'one\n'],
    ['no line', '', '', ''],
    ['other ends of Unicode are none', 'one\x85two\x0c\x0b\n', 'one\x85two\x0c\x0b\n', 'one\x85two\x0c\x0b\n\n'],
  ])('%s: each line once, or doubled byte for byte', (_, body, once, exact) => {
    expect(cleaned(`${start}\r\n${body}`)).toBe(once)
    expect(cleaned(`${start}\r\n${body}`, { lineEndings: 'exact' })).toBe(exact)
  })

  test('is empty without a start marker, and goes to the end without an end marker', () => {
    expect(clean(Buffer.from(`head\n${end}\n`))).toEqual({ content: new Uint8Array(), hasStart: false, hasEnd: false })
    expect(clean(new Uint8Array())).toMatchObject({ hasStart: false })
    expect(clean(Buffer.from(`${start}\none\n`))).toEqual({
      content: Buffer.from('one\n'),
      hasStart: true,
      hasEnd: false,
    })
  })

  test('looks for the end only behind the start, and takes no second start for one', () => {
    expect(cleaned(`${end}\n${start} ${end}\none\n${start}\n${end}\n${start}\ntwo\n`)).toBe(`one\n${start}\n`)
  })

  test('knows other markers only when asked to', () => {
    const wide = { markers: 'wide' } as const
    const book = '*** START OF THE PROJECT GUTENBERG EBOOK X ***\none\nEnd of the Project Gutenberg EBook\n'
    expect(clean(Buffer.from(book))).toMatchObject({ hasStart: false })
    expect(cleaned(book, wide)).toBe('one\n')
    for (const marker of ['END OF THE PROJECT GUTENBERG', 'END OF THIS PROJECT GUTENBERG', 'End of the Project', end]) {
      expect(cleaned(`${start}\none\n*** ${marker} ***\ntwo\nEnd of Project\n`, wide)).toBe('one\n')
    }
  })

  test('reads UTF-8 when asked to', () => {
    const book = Buffer.from(`\ufeff${start}\r\nπ ≈ 3\r\n${end}`)
    expect(Buffer.from(clean(book, { encoding: 'utf8' }).content).toString()).toBe('π ≈ 3\n')
    expect(Buffer.from(clean(book).content).toString()).toBe(`${Buffer.from('π ≈ 3').toString('latin1')}\n`)
  })

  test('does what its description says, line by line', () => {
    const piece = fc.constantFrom(
      ...['START OF THIS PROJECT', 'End of Project', 'START OF THE PROJECT GUTENBERG', 'End of the Project'],
      ...['\n', '\r', '\r\n', '\n', '\r\n', 'one', '\xe9', '\x85', ' ', 'START', 'End of'],
    )
    const options = fc.record({
      lineEndings: fc.constantFrom('once', 'exact'),
      markers: fc.constantFrom('narrow', 'wide'),
    } as const)
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), options, (pieces, options) => {
        expect(cleaned(pieces.join(''), options)).toBe(naively(pieces.join(''), options))
      }),
      { numRuns: 2000 },
    )
  })

  test('leaves the bytes that it was given as they were, also within a larger buffer', () => {
    const around = Buffer.from(`xxx${start}\none\n${end}yyy\none more`)
    const before = Buffer.from(around)
    expect(clean(around.subarray(3, -12)).content).toEqual(Buffer.from('one\n'))
    expect(around).toEqual(before)
  })

  test.each<[string, (size: number) => string]>([
    ['short lines', size => `${start}\n${'\n'.repeat(size)}${end}`],
    ['CR only', size => `${start}\r${'\r'.repeat(size)}${end}`],
    ['no line end at all', size => start + 'x'.repeat(size)],
    ['beginnings of markers', size => `${start}\n${'End of Pro'.repeat(size / 10)}`],
    ['end markers before the start', size => `${'End of Project\n'.repeat(size / 15)}${start}\n`],
  ])('takes time in proportion to the size: %s', (_, bookOf) => {
    const [small, large] = [1 << 20, 1 << 24].map(size => Buffer.from(bookOf(size), 'latin1')) as [Buffer, Buffer]
    const time = (book: Buffer) => {
      const began = performance.now()
      clean(book)
      return performance.now() - began
    }
    time(small)
    // 16 times the size; a square would take 256 times as long.
    expect(time(large)).toBeLessThan(64 * Math.max(5, time(small)))
  })
})

test.each([
  ['418-0.txt', 'utf8'],
  ['418-8.txt', 'latin1'],
  ['418.txt', 'latin1'],
  ['10.txt', 'latin1'],
] as const)('encodingOf(%s) is %s', (name, encoding) => {
  expect(encodingOf(name)).toBe(encoding)
})

/** The description again, as slow and plain as it can be told. */
function naively(text: string, { lineEndings, markers }: CleanOptions): string {
  const isWide = markers === 'wide'
  const begins = isWide ? /START OF THIS PROJECT|START OF THE PROJECT GUTENBERG/ : /START OF THIS PROJECT/
  const ends = isWide ? /End of (the )?Project|END OF (THE|THIS) PROJECT GUTENBERG/ : /End of Project/
  const lines = text.match(/[^\r\n]*(\r\n|\r|\n)|[^\r\n]+$/g) ?? []
  let isIn = false
  let out = ''
  for (const line of lines) {
    if (isIn && ends.test(line)) break
    if (isIn) out += line.replace(/\r\n|\r/, '\n') + (lineEndings === 'exact' ? '\n' : '')
    isIn ||= begins.test(line)
  }
  return out
}

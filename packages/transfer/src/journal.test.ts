import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Block,
  blockRanges,
  formatBlock,
  formatHeader,
  formatLeft,
  isStrongTime,
  type JournalHeader,
  parseJournal,
  resourceOf,
  whyNotResume,
} from './journal.ts'
import type { Resource } from './resource.ts'

const header: JournalHeader = {
  uri: 'https://example.org/a.fits?X-Amz-Signature=***',
  uriHash: 'ab'.repeat(32),
  size: 1_000_000,
  etag: { value: 'vör "1"', isWeak: false },
  lastModified: 1_700_000_000_000,
  date: 1_700_000_100_000,
  checksums: ['sha256:00'],
  owner: { host: 'höst', pid: 12, start: '1234-5', token: 'cafe' },
}

const block = fc
  .tuple(fc.nat(999_998), fc.integer({ min: 1, max: 1_000_000 }), fc.nat(0xffff_ffff))
  .map(([offset, length, crc32c]): Block => ({ offset, length: Math.min(length, 1_000_000 - offset), crc32c }))
const blocks = fc.array(block, { maxLength: 12 })
const textOf = (written: readonly Block[]) => formatHeader(header) + written.map(formatBlock).join('')

/** What was read is a beginning of what was written. */
function expectBeginning(text: string, written: readonly Block[]): number {
  const journal = parseJournal(text)
  if (!journal) return 0
  expect(journal.header).toEqual(header)
  expect(journal.blocks).toEqual(written.slice(0, journal.blocks.length))
  expect(text.slice(0, Buffer.from(text).subarray(0, journal.length).toString().length)).toBe(
    formatHeader(header) + written.slice(0, journal.blocks.length).map(formatBlock).join(''),
  )
  return journal.blocks.length
}

describe('parseJournal()', () => {
  test('reads back what was written', () => {
    fc.assert(
      fc.property(blocks, written => {
        const text = textOf(written)
        const journal = parseJournal(text)
        expect(journal).toEqual({ header, blocks: written, isLeft: false, length: Buffer.byteLength(text) })
      }),
    )
  })

  test('of a text cut anywhere trusts exactly the whole lines', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), (written, at) => {
        const bytes = Buffer.from(textOf(written))
        const cut = at % (bytes.length + 1)
        const wholeLines = bytes.subarray(0, cut).toString('latin1').split('\n').length - 1
        expect(expectBeginning(bytes.subarray(0, cut).toString('utf8'), written)).toBe(Math.max(0, wholeLines - 1))
      }),
    )
  })

  test('never gives a block that was not written, whichever bits flip', () => {
    fc.assert(
      fc.property(blocks, fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (written, flips) => {
        const bytes = Buffer.from(textOf(written))
        for (const flip of flips) bytes[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7)
        expectBeginning(bytes.toString('utf8'), written)
      }),
      { numRuns: 2000 },
    )
  })

  test('never gives a block that was not written when a stretch of the text is lost, doubled or zero', () => {
    fc.assert(
      fc.property(
        blocks,
        fc.nat(),
        fc.nat(200),
        fc.constantFrom('lost', 'zero', 'doubled'),
        (written, from, length, how) => {
          const bytes = Buffer.from(textOf(written))
          const at = from % bytes.length
          const hit = bytes.subarray(at, at + length)
          const middle =
            how === 'lost' ? Buffer.alloc(0) : how === 'zero' ? Buffer.alloc(hit.length) : Buffer.concat([hit, hit])
          const text = Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + length)]).toString('utf8')
          for (const one of parseJournal(text)?.blocks ?? []) expect(written).toContainEqual(one)
        },
      ),
      { numRuns: 1000 },
    )
  })

  test.each(['', '\n', 'rubbish', '{"arriero":1}', `${JSON.stringify({ arriero: 1, ...header })}\n`])(
    'has no trust in %j',
    text => {
      expect(parseJournal(text)).toBeUndefined()
    },
  )

  test('leaves journals of another format alone', () => {
    expect(parseJournal(formatHeader({ ...header, arriero: 2 } as never))).toBeUndefined()
  })

  test.each([
    ['a size', { size: -1 }],
    ['a size', { size: undefined }],
    ['an owner', { owner: undefined }],
    ['an owner', { owner: { host: 'h' } }],
    ['a hash of its URL', { uriHash: undefined }],
    ['checksums', { checksums: 'sha256:00' }],
  ])('has no trust in a header without %s', (_, change) => {
    expect(parseJournal(formatHeader({ ...header, ...change } as never))).toBeUndefined()
  })

  test('ends its trust at a block beyond the size', () => {
    const good = { offset: 0, length: 10, crc32c: 1 }
    for (const bad of [
      { offset: 999_999, length: 2, crc32c: 1 },
      { offset: 5, length: 0, crc32c: 1 },
    ]) {
      expect(parseJournal(textOf([good, bad, good]))?.blocks).toEqual([good])
    }
  })

  test('knows that its owner left, unless it went on afterwards', () => {
    const one = { offset: 0, length: 10, crc32c: 1 }
    expect(parseJournal(textOf([one]) + formatLeft())?.isLeft).toBe(true)
    expect(parseJournal(formatHeader(header) + formatLeft())?.isLeft).toBe(true)
    expect(parseJournal(textOf([one]) + formatLeft().slice(0, -1))?.isLeft).toBe(false)
    const goneOn = parseJournal(textOf([one]) + formatLeft() + formatBlock({ offset: 10, length: 1, crc32c: 2 }))
    expect(goneOn).toMatchObject({ isLeft: false, blocks: [one, { offset: 10 }] })
  })

  test('every line ends with the CRC-32 of its text', () => {
    expect(formatBlock({ offset: 0, length: 4096, crc32c: 0xcafe })).toMatch(/^block 0 4096 0000cafe [0-9a-f]{8}\n$/)
    expect(formatHeader(header)).toMatch(/^\{.*\} [0-9a-f]{8}\n$/)
  })
})

test('resourceOf() and blockRanges() say what a source and a plan need', () => {
  const { etag, lastModified, date, size } = header
  expect(resourceOf(header)).toMatchObject({ size, etag, lastModified, date, ranges: 'yes', checksums: [] })
  expect(blockRanges([{ offset: 5, length: 3, crc32c: 0 }])).toEqual([{ start: 5, end: 8 }])
})

describe('whyNotResume()', () => {
  const strong = { etag: { value: 'a', isWeak: false } }
  const weak = { etag: { value: 'a', isWeak: true } }
  const old = { lastModified: 1000, date: 61_000 }
  const young = { lastModified: 1000, date: 60_999 }
  type Said = Partial<Pick<Resource, 'size' | 'etag' | 'lastModified' | 'date' | 'version'>>

  // What was stored, what is said now, and whether it may be continued: by itself, with a digest, with allowWeak.
  const table: readonly [
    name: string,
    stored: Said,
    now: Said,
    byItself: boolean,
    withDigest: boolean,
    weakly: boolean,
  ][] = [
    ['nothing', {}, {}, false, true, false],
    ['another size', { ...strong, size: 10 }, { ...strong, size: 11 }, false, false, false],
    ['an unknown size', { ...strong }, { ...strong, size: undefined }, false, false, false],
    ['the same version', { version: '1' }, { version: '1' }, true, true, true],
    ['another version', { version: '1' }, { version: '2' }, false, false, false],
    ['a version that is not told any more', { ...strong, version: '1' }, strong, false, false, false],
    ['a version that was not told before', strong, { ...strong, version: '1' }, false, false, false],
    ['the same strong tag', strong, strong, true, true, true],
    [
      'the same strong tag and another time',
      { ...strong, ...old },
      { ...strong, lastModified: 2000 },
      true,
      true,
      true,
    ],
    ['another strong tag', strong, { etag: { value: 'b', isWeak: false } }, false, true, false],
    [
      'another strong tag of the same old time',
      { ...strong, ...old },
      { ...old, etag: { value: 'b', isWeak: false } },
      false,
      true,
      false,
    ],
    ['the same weak tag', weak, weak, false, true, false],
    ['a tag that became weak', strong, weak, false, true, false],
    ['a tag that is not told any more', strong, {}, false, true, false],
    ['the same time, a minute old when stored', old, old, true, true, true],
    ['the same time, younger when stored', young, young, false, true, true],
    ['the same time without a date', { lastModified: 1000 }, { lastModified: 1000, date: 99_000 }, false, true, true],
    ['another time', old, { lastModified: 2000, date: 99_000 }, false, true, false],
    ['the same old time and the same weak tag', { ...weak, ...old }, { ...weak, ...old }, true, true, true],
  ]

  test.each(table)('%s', (_, stored, now, byItself, withDigest, weakly) => {
    const whole = {
      ...header,
      etag: undefined,
      lastModified: undefined,
      date: undefined,
      size: 10,
      ...stored,
    } as JournalHeader
    const resource: Resource = { size: 10, ranges: 'yes', checksums: [], ...now }
    const may = (options: { hasDigest: boolean; allowWeak: boolean }) =>
      whyNotResume(whole, resource, options) === undefined
    expect(may({ hasDigest: false, allowWeak: false })).toBe(byItself)
    expect(may({ hasDigest: true, allowWeak: false })).toBe(withDigest)
    expect(may({ hasDigest: false, allowWeak: true })).toBe(weakly)
  })

  test('isStrongTime() needs a time that was a minute old', () => {
    expect(isStrongTime(old)).toBe(true)
    expect(isStrongTime(young)).toBe(false)
    expect(isStrongTime({ lastModified: 1000 })).toBe(false)
    expect(isStrongTime({ date: 1000 })).toBe(false)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Headers } from '../integrity/headers.ts'
import type { Resource } from '../resource.ts'
import { judgeAnswer, type Question, type Verdict } from './range-answer.ts'

const known: Resource = { size: 100, ranges: 'yes', etag: { value: 'v1', isWeak: false }, checksums: [] }

function ask(range: [number, number] | undefined, more: Partial<Question> = {}): Question {
  return {
    uri: 'https://host/x',
    range: range && { start: range[0], end: range[1] },
    expected: undefined,
    condition: undefined,
    etagPolicy: 'strict',
    now: () => 0,
    ...more,
  }
}

function judge(status: number, headers: Headers, question: Question): Verdict {
  return judgeAnswer({ status, headers }, question)
}

const part = (range: string, length: number, more: Headers = {}) => ({
  'content-range': `bytes ${range}`,
  'content-length': String(length),
  etag: '"v1"',
  ...more,
})

describe('judgeAnswer() of a 206', () => {
  test('accepts exactly what was asked', () => {
    expect(judge(206, part('10-19/100', 10), ask([10, 20]))).toMatchObject({
      is: 'accepted',
      start: 10,
      end: 20,
      bodyLength: 10,
      framing: 'length',
      resource: { size: 100, ranges: 'yes', etag: { value: 'v1', isWeak: false } },
    })
  })

  test('accepts less than was asked', () => {
    expect(judge(206, part('10-12/100', 3), ask([10, 20]))).toMatchObject({ is: 'accepted', start: 10, end: 13 })
  })

  test.each([
    ['shifted by one', '11-20/100', 10],
    ['shifted back', '9-18/100', 10],
    ['wider', '10-20/100', 11],
    ['wider at the front', '9-19/100', 11],
    ['with a body of another length', '10-19/100', 9],
    ['with a body that is one byte too long', '10-19/100', 11],
  ])('rejects one that is %s', (_, range, length) => {
    expect(judge(206, part(range, length), ask([10, 20]))).toMatchObject({
      is: 'failed',
      error: { code: 'Protocol', retriable: true },
    })
  })

  test('of another total is another version', () => {
    const question = ask([10, 20], { expected: known })
    expect(judge(206, part('10-19/101', 10), question)).toMatchObject({ error: { code: 'ResourceChanged' } })
  })

  test('without a total is accepted only when the size is known', () => {
    expect(judge(206, part('10-19/*', 10), ask([10, 20], { expected: known }))).toMatchObject({
      is: 'accepted',
      resource: { size: 100 },
    })
    expect(judge(206, part('0-9/*', 10), ask([0, 10]))).toEqual({ is: 'repeat', without: 'range' })
    expect(judge(206, part('10-19/*', 10), ask([10, 20]))).toMatchObject({ error: { code: 'RangeUnsupported' } })
  })

  test.each([
    ['without Content-Range', { 'content-range': undefined }],
    ['with two of them', { 'content-range': ['bytes 0-9/100', 'bytes 0-9/100'] }],
    ['with several ranges', { 'content-range': undefined, 'content-type': 'multipart/byteranges; boundary=x' }],
    ['in a coding', { 'content-encoding': 'gzip' }],
  ])('%s ends reading in parts', (_, headers) => {
    expect(judge(206, part('0-9/100', 10, headers), ask([0, 10]))).toEqual({ is: 'repeat', without: 'range' })
    expect(judge(206, part('10-19/100', 10, headers), ask([10, 20]))).toMatchObject({
      is: 'failed',
      error: { code: 'RangeUnsupported', retriable: false },
      ignoresRange: true,
    })
  })

  test('to no range is a protocol error', () => {
    expect(judge(206, part('0-99/100', 100), ask(undefined))).toMatchObject({ error: { code: 'Protocol' } })
  })

  test('in chunks is held to the length of its range', () => {
    const headers = part('10-19/100', 10, { 'content-length': undefined, 'transfer-encoding': 'chunked' })
    expect(judge(206, headers, ask([10, 20]))).toMatchObject({ is: 'accepted', bodyLength: 10, framing: 'chunked' })
  })

  test('never accepts anything outside of what was asked', () => {
    const number = fc.nat(50)
    fc.assert(
      fc.property(
        fc.record({
          a: number,
          n: fc.integer({ min: 1, max: 20 }),
          from: number,
          to: number,
          size: number,
          length: number,
        }),
        fc.boolean(),
        ({ a, n, from, to, size, length }, knowsSize) => {
          const expected = knowsSize ? { ...known, size: 40 } : undefined
          const verdict = judge(206, part(`${from}-${to}/${size}`, length), ask([a, a + n], { expected }))
          if (verdict.is !== 'accepted') return
          expect(verdict.start).toBe(a)
          expect(verdict.start).toBe(from)
          expect(verdict.end).toBeGreaterThan(a)
          expect(verdict.end).toBeLessThanOrEqual(Math.min(a + n, size))
          expect(verdict.bodyLength).toBe(length)
          expect(length).toBe(to - from + 1)
          if (knowsSize) expect(size).toBe(40)
        },
      ),
      { numRuns: 20_000 },
    )
  })
})

describe('judgeAnswer() of a 200', () => {
  const whole = { 'content-length': '100', etag: '"v1"' }

  test('to a range from 0 is the whole as one stream', () => {
    expect(judge(200, whole, ask([0, 10]))).toMatchObject({
      is: 'accepted',
      start: 0,
      end: 100,
      bodyLength: 100,
      resource: { size: 100, ranges: 'no' },
    })
  })

  test('is never accepted at another offset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.boolean(), fc.boolean(), (start, isKnown, hasLength) => {
        const headers = hasLength ? whole : { etag: '"v1"', 'transfer-encoding': 'chunked' }
        const verdict = judge(200, headers, ask([start, 100], { expected: isKnown ? known : undefined }))
        expect(verdict).toMatchObject({ is: 'failed', error: { code: 'RangeUnsupported' }, ignoresRange: true })
      }),
    )
  })

  test('to a request without range says nothing of ranges', () => {
    expect(judge(200, whole, ask(undefined))).toMatchObject({ is: 'accepted', resource: { ranges: 'unproven' } })
  })

  test('to If-Range with an equal tag asks for repetition without the condition', () => {
    for (const range of [
      [0, 10],
      [10, 20],
    ] as [number, number][]) {
      const question = ask(range, { expected: known, condition: 'if-range' })
      expect(judge(200, whole, question)).toEqual({ is: 'repeat', without: 'condition' })
    }
  })

  test('to If-Range with another tag is another version', () => {
    const question = ask([10, 20], { expected: known, condition: 'if-range' })
    expect(judge(200, { ...whole, etag: '"v2"' }, question)).toMatchObject({ error: { code: 'ResourceChanged' } })
    expect(judge(200, { ...whole, 'content-length': '90' }, question)).toMatchObject({
      error: { code: 'ResourceChanged' },
    })
  })

  test('without length is open-ended, or ends where it is known to', () => {
    expect(judge(200, { 'transfer-encoding': 'chunked' }, ask([0, 10]))).toMatchObject({
      end: undefined,
      bodyLength: undefined,
      framing: 'chunked',
    })
    expect(judge(200, {}, ask([0, 10]))).toMatchObject({ end: undefined, framing: 'close' })
    expect(judge(200, { etag: '"v1"' }, ask(undefined, { expected: known }))).toMatchObject({
      end: 100,
      bodyLength: 100,
      framing: 'close',
    })
  })

  test('in a coding has no size and no parts', () => {
    expect(judge(200, { ...whole, 'content-encoding': 'GZIP' }, ask(undefined))).toMatchObject({
      is: 'accepted',
      end: undefined,
      bodyLength: 100,
      resource: { size: undefined, ranges: 'no', contentEncoding: 'gzip' },
    })
  })

  test.each([
    [{ 'content-length': ['100', '100'] }],
    [{ 'content-length': '100', 'transfer-encoding': 'chunked' }],
    [{ 'content-length': '1e2' }],
    [{ 'transfer-encoding': 'gzip, chunked' }],
  ])('framed as %j is a protocol error', headers => {
    expect(judge(200, headers as Headers, ask(undefined))).toMatchObject({ error: { code: 'Protocol' } })
  })
})

describe('judgeAnswer() of a 416', () => {
  const unsatisfied = (size: number) => ({ 'content-range': `bytes */${size}` })

  test('of size 0 is an empty resource', () => {
    expect(judge(416, unsatisfied(0), ask([0, 10]))).toMatchObject({ is: 'nothing', start: 0, resource: { size: 0 } })
  })

  test('at the exact end is complete', () => {
    expect(judge(416, unsatisfied(100), ask([100, 200], { expected: known }))).toMatchObject({
      is: 'nothing',
      start: 100,
    })
    expect(judge(416, unsatisfied(100), ask([100, 200]))).toMatchObject({ is: 'nothing', start: 100 })
  })

  test('elsewhere is another version', () => {
    for (const [size, start] of [
      [50, 60],
      [60, 100],
      [0, 10],
      [100, 120],
    ] as const) {
      const question = ask([start, start + 10], { expected: known })
      expect(judge(416, unsatisfied(size), question)).toMatchObject({ error: { code: 'ResourceChanged' } })
    }
  })

  test('without a size is asked again as a whole, when nothing is known', () => {
    expect(judge(416, {}, ask([0, 10]))).toEqual({ is: 'repeat', without: 'range' })
    expect(judge(416, {}, ask([10, 20], { expected: known }))).toMatchObject({ error: { code: 'ResourceChanged' } })
    expect(judge(416, {}, ask([100, 200], { expected: known }))).toMatchObject({ error: { code: 'ResourceChanged' } })
  })

  test('without a size, behind If-Match, at the very end, is complete: the version was judged first', () => {
    const matching = { expected: known, condition: 'if-match' } as const
    expect(judge(416, {}, ask([100, 200], matching))).toMatchObject({ is: 'nothing', start: 100 })
    expect(judge(416, {}, ask([90, 200], matching))).toMatchObject({ error: { code: 'ResourceChanged' } })
  })
})

describe('judgeAnswer() of validators', () => {
  const date = 'Fri, 02 Jan 2026 03:04:05 GMT'
  const other = 'Fri, 02 Jan 2026 03:04:06 GMT'
  const dated: Resource = { size: 100, ranges: 'yes', lastModified: Date.parse(date), checksums: [] }
  const outcome = (expected: Resource, headers: Headers, more: Partial<Question> = {}) => {
    const verdict = judge(
      206,
      part('10-19/100', 10, { etag: undefined, ...headers }),
      ask([10, 20], { expected, ...more }),
    )
    return verdict.is === 'failed' ? verdict.error.code : verdict.is
  }

  test('a strong tag decides alone', () => {
    const expected = { ...known, lastModified: Date.parse(date) }
    expect(outcome(expected, { etag: '"v1"', 'last-modified': other })).toBe('accepted')
    expect(outcome(expected, { etag: '"v2"', 'last-modified': date })).toBe('ResourceChanged')
  })

  test('a weak tag needs the same date', () => {
    const expected: Resource = { ...dated, etag: { value: 'v1', isWeak: true } }
    expect(outcome(expected, { etag: 'W/"v1"', 'last-modified': date })).toBe('accepted')
    expect(outcome(expected, { etag: 'W/"v1"', 'last-modified': other })).toBe('ResourceChanged')
    expect(outcome(expected, { etag: 'W/"v2"', 'last-modified': date })).toBe('ResourceChanged')
  })

  test('a date decides when there are no tags', () => {
    expect(outcome(dated, { 'last-modified': date })).toBe('accepted')
    expect(outcome(dated, { 'last-modified': other })).toBe('ResourceChanged')
  })

  test('a version id decides before everything else', () => {
    const expected = { ...known, version: '7' }
    expect(outcome(expected, { etag: '"v2"', 'x-goog-generation': '7' })).toBe('accepted')
    expect(outcome(expected, { etag: '"v1"', 'x-goog-generation': '8' })).toBe('ResourceChanged')
    expect(outcome({ ...known, version: 'a' }, { etag: '"v1"', 'x-amz-version-id': 'b' })).toBe('ResourceChanged')
  })

  test('a missing tag is accepted only if the condition was honoured or an old date agrees', () => {
    expect(outcome(known, {})).toBe('ResourceChanged')
    expect(outcome(known, {}, { condition: 'if-range' })).toBe('accepted')
    const old = { ...known, lastModified: Date.parse(date), date: Date.parse(date) + 60_000 }
    expect(outcome(old, { 'last-modified': date })).toBe('accepted')
    expect(outcome({ ...old, date: Date.parse(date) + 59_000 }, { 'last-modified': date })).toBe('ResourceChanged')
  })

  test('policies loosen tags, then dates, never the size', () => {
    const expected = { ...known, lastModified: Date.parse(date) }
    const headers = { etag: '"v2"', 'last-modified': date }
    expect(outcome(expected, headers, { etagPolicy: 'size+mtime' })).toBe('accepted')
    expect(outcome(expected, { ...headers, 'last-modified': other }, { etagPolicy: 'size+mtime' })).toBe(
      'ResourceChanged',
    )
    expect(outcome(expected, { ...headers, 'last-modified': other }, { etagPolicy: 'ignore-if-checksum' })).toBe(
      'accepted',
    )
    expect(outcome({ ...expected, size: 99 }, headers, { etagPolicy: 'ignore-if-checksum' })).toBe('ResourceChanged')
  })

  test('the message of a strict refusal names the policy', () => {
    const verdict = judge(206, part('10-19/100', 10, { etag: '"v2"' }), ask([10, 20], { expected: known }))
    expect(verdict).toMatchObject({ error: { message: expect.stringContaining('etagPolicy') } })
  })
})

describe('judgeAnswer() of other statuses', () => {
  test.each([
    [404, 'NotFound', false],
    [410, 'NotFound', false],
    [412, 'ResourceChanged', false],
    [405, 'Protocol', false],
    [408, 'Network', true],
    [425, 'Protocol', true],
    [429, 'Throttled', true],
    [500, 'Protocol', true],
    [502, 'Network', true],
    [503, 'Throttled', true],
    [504, 'Network', true],
    [522, 'Network', true],
    [524, 'Network', true],
    [204, 'Protocol', true],
    [205, 'Protocol', true],
    [304, 'Protocol', true],
    [300, 'Protocol', true],
  ])('%i is %s, retriable %s', (status, code, retriable) => {
    expect(judge(status, {}, ask([0, 10]))).toMatchObject({ is: 'failed', error: { code, retriable, status } })
  })

  test('Retry-After becomes a time', () => {
    expect(judge(503, { 'retry-after': '7' }, ask([0, 10], { now: () => 1000 }))).toMatchObject({
      error: { code: 'Throttled', details: { until: 8000 } },
    })
  })

  test('redirects and refusals are left to the source', () => {
    for (const status of [301, 302, 303, 307, 308]) {
      expect(judge(status, { location: '/b' }, ask([0, 10]))).toEqual({ is: 'redirect', location: '/b' })
    }
    for (const status of [400, 401, 403, 407]) expect(judge(status, {}, ask([0, 10]))).toEqual({ is: 'refused' })
  })

  test('every status has a verdict', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 999 }), fc.option(fc.nat(100)), (status, start) => {
        const question = ask(start === null ? undefined : [start, start + 1], { expected: known })
        expect(judge(status, {}, question).is).toBeTypeOf('string')
      }),
    )
  })
})

describe('judgeAnswer() of what is stored in a coding', () => {
  const coded = { 'content-encoding': 'gzip' }

  test('accepts a coded 206 of the whole as a stream to decode', () => {
    const verdict = judge(206, part('0-99/100', 100, coded), ask([0, 1000], { storedCoding: 'decode' }))
    expect(verdict).toMatchObject({ is: 'accepted', start: 0, end: undefined, bodyLength: 100 })
    expect(verdict).toMatchObject({ resource: { size: undefined, ranges: 'no', contentEncoding: 'gzip' } })
  })

  test('asks for the whole instead of decoding a slice', () => {
    const question = ask([0, 50], { storedCoding: 'decode' })
    expect(judge(206, part('0-49/100', 50, coded), question)).toEqual({ is: 'repeat', without: 'range' })
    const later = ask([50, 100], { storedCoding: 'decode' })
    expect(judge(206, part('50-99/100', 50, coded), later)).toMatchObject({ error: { code: 'RangeUnsupported' } })
  })

  test('takes slices where the coded bytes are what is wanted', () => {
    const question = ask([50, 100], { storedCoding: 'keep', expected: known })
    expect(judge(206, part('50-99/100', 50, coded), question)).toMatchObject({
      is: 'accepted',
      start: 50,
      end: 100,
      resource: { size: 100, ranges: 'yes' },
    })
    const whole = judge(200, { 'content-length': '100', ...coded }, ask(undefined, { storedCoding: 'keep' }))
    expect(whole).toMatchObject({ is: 'accepted', end: 100, resource: { size: 100 } })
  })

  test('trusts no coded 206 where identity was asked for', () => {
    expect(judge(206, part('0-99/100', 100, coded), ask([0, 1000]))).toEqual({ is: 'repeat', without: 'range' })
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from './parse-json.ts'

const refused = (text: string) =>
  expect(() => parseJson(text), text.slice(0, 40)).toThrow(expect.objectContaining({ code: 'BadRequest' }))

test('parseJson() reads what JSON.parse reads', () => {
  const value = fc.jsonValue({ maxDepth: 6, noUnicodeString: false }).filter(isOrdinary)
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, '\t'), (given, space) => {
      expect(parseJson(JSON.stringify(given, null, space))).toEqual(JSON.parse(JSON.stringify(given)))
    }),
  )
})

/** Without what is refused on purpose. */
function isOrdinary(value: unknown): boolean {
  const text = JSON.stringify(value)
  return !text.includes('__proto__') && !/[eE][+-]?\d{2}|\d{16}/.test(text) && !/\\ud[89a-f]/i.test(text)
}

test('parseJson() refuses what JSON.parse refuses', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'{}[]":,.0123456789eE+-truefalsn \\u\n'), maxLength: 20 }),
      text => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        if (!isJson) refused(text)
      },
    ),
    { numRuns: 2000 },
  )
})

test.each([
  ['a field twice', '{"a":1,"a":1}'],
  ['a field twice by an escape', '{"a":1,"\\u0061":1}'],
  ['__proto__', '{"__proto__":{}}'],
  ['__proto__ by an escape', '{"__pr\\u006fto__":{}}'],
  ['a number that would become another', '9007199254740993'],
  ['a number that would become infinite', '1e999'],
  ['NaN', 'NaN'],
  ['Infinity', '[-Infinity]'],
  ['half a character', '"\\ud800"'],
  ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
  ['100,000 levels', '['.repeat(100_000)],
  ['1,001 fields', JSON.stringify(Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`k${at}`, at])))],
  ['more values than any call has', `[${'1,'.repeat(262_144)}1]`],
  ['more than one value', '{} {}'],
  ['nothing', ''],
  ['a control character in a string', '"a\u0001"'],
])('parseJson() refuses %s', (_, text) => refused(text))

test('parseJson() takes 32 levels and the largest safe integers; objects have no prototype', () => {
  expect(() => parseJson(`${'['.repeat(32)}${']'.repeat(32)}`)).not.toThrow()
  expect(parseJson('[9007199254740991,-9007199254740991,-0,5.0]')).toEqual([2 ** 53 - 1, -(2 ** 53) + 1, -0, 5])
  expect(Object.getPrototypeOf(parseJson('{"constructor":1}'))).toBeNull()
})

test('parseJson() reads a MiB without stalling the loop', () => {
  const rows = Array.from({ length: 5000 }, (_, at) => ({
    name: `night-1/file-${at}.fits`,
    size: at,
    checksum: `xxh3:::${'a'.repeat(32)}`,
    uploads: [at, { x: true }],
  }))
  const text = JSON.stringify(rows).slice(0, 1024 * 1024)
  const whole = JSON.stringify(rows)
  expect(text.length).toBeLessThanOrEqual(whole.length)
  const start = performance.now()
  parseJson(whole)
  expect(performance.now() - start).toBeLessThan(200)
  const deep = performance.now()
  refused(`"${'\\u0061'.repeat(170_000)}`)
  refused('['.repeat(1024 * 1024))
  refused(`[${'1,'.repeat(500_000)}`)
  expect(performance.now() - deep).toBeLessThan(400)
})

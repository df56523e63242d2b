import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { deletionPolicy, deletionPolicyFilter, deletionPolicyText } from './deletion-policy.ts'
import { errorCategory, errorSeverity } from './error-kinds.ts'
import { boolean, instant, instantWindow, integer, naive, path, text } from './lax.ts'
import { level, levels } from './level.ts'
import { normalisePath } from './posix-path.ts'
import { transferStatus, transferStatuses } from './transfer-status.ts'

const refused = Symbol('refused')

function read(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  return result.success ? result.data : refused
}

describe('integer', () => {
  test.each([
    [5, 5],
    [JSON.parse('5.0'), 5],
    ['5', 5],
    ['5.0', 5],
    [' 5 ', 5],
    ['-7', -7],
    ['+7', 7],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('takes %j', (given, expected) => expect(read(integer, given)).toBe(expected))

  test.each([
    5.5,
    '5.5',
    '',
    'five',
    '0x5',
    '1e3',
    true,
    null,
    undefined,
    [5],
    {},
    Number.NaN,
    Number.POSITIVE_INFINITY,
    JSON.parse('9007199254740993'),
    '9007199254740993',
    '9007199254740992',
    '1'.repeat(400),
  ])('refuses %j', given => expect(read(integer, given)).toBe(refused))
})

describe('boolean', () => {
  test.each([true, 1, '1', 'true', 'True', 'YES', 'on', 't', 'y'])('%j is true', given =>
    expect(read(boolean, given)).toBe(true),
  )
  test.each([false, 0, '0', 'false', 'FALSE', 'no', 'Off', 'f', 'N'])('%j is false', given =>
    expect(read(boolean, given)).toBe(false),
  )
  test.each([2, -1, '', ' true', 'ja', null, undefined, [], {}])('refuses %j', given =>
    expect(read(boolean, given)).toBe(refused),
  )
})

test.each([5, true, null, undefined, ['a'], { a: 1 }])('text refuses %j', given =>
  expect(read(text, given)).toBe(refused),
)

describe('path', () => {
  test.each([
    ['', '.'],
    ['.', '.'],
    ['./', '.'],
    ['a', 'a'],
    ['a/', 'a'],
    ['a//b', 'a/b'],
    ['a/./b/.', 'a/b'],
    ['./a', 'a'],
    ['a/../b', 'a/../b'],
    ['..', '..'],
    ['/', '/'],
    ['/a/', '/a'],
    ['//a', '//a'],
    ['//', '//'],
    ['///a', '/a'],
    ['/./a', '/a'],
    ['a/.b', 'a/.b'],
    [' ', ' '],
  ])('%j is %j, as the older servers have it', (given, expected) => expect(read(path, given)).toBe(expected))

  test('normalises what is normal to itself', () => {
    const like = fc.array(fc.constantFrom('/', '.', '..', 'a', 'b'), { maxLength: 8 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(like, given => {
        expect(normalisePath(normalisePath(given))).toBe(normalisePath(given))
      }),
    )
  })

  test('refuses what is no string', () => expect(read(path, 5)).toBe(refused))
})

describe('times', () => {
  test('instant takes numbers and texts, and nothing else', () => {
    expect(read(instant, 0)).toBe('1970-01-01T00:00:00.000000Z')
    expect(read(instant, '2026-11-20')).toBe('2026-11-20T00:00:00.000000Z')
    for (const given of ['yesterday', null, true, {}, []]) expect(read(instant, given)).toBe(refused)
  })

  test('a window has exactly two', () => {
    expect(read(instantWindow, ['0001-01-01T00:00:00', '9999-12-31T23:59:59.999999'])).toEqual([
      '0001-01-01T00:00:00.000000Z',
      '9999-12-31T23:59:59.999999Z',
    ])
    for (const given of [[], [0], [0, 1, 2], 0]) expect(read(instantWindow, given)).toBe(refused)
  })

  test('an answer’s time has no zone, however it was given', () => {
    expect(read(naive, '2026-11-20T22:03:37.619866Z')).toBe('2026-11-20T22:03:37.619866')
    expect(read(naive, '2026-11-20T22:03:37.619866')).toBe('2026-11-20T22:03:37.619866')
    expect(read(naive, '2026-11-20T22:03:37.000000Z')).toBe('2026-11-20T22:03:37')
    expect(read(naive, '2026-11-20T22:03:37+01:00')).toBe('2026-11-20T21:03:37')
  })
})

describe.each([
  ['level', level, levels],
  ['transfer status', transferStatus, transferStatuses],
  ['deletion policy', deletionPolicy, { DISALLOWED: 0, ALLOWED: 1 }],
])('%s', (_, schemas, numbers) => {
  test.each(Object.entries(numbers))('%s is %d on the wire', (name, number) => {
    expect(read(schemas.asked, number)).toBe(name)
    expect(read(schemas.asked, JSON.parse(`${number}.0`))).toBe(name)
    expect(read(schemas.told, name)).toBe(number)
    expect(read(schemas.told, number)).toBe(number)
    expect(schemas.nameOf(number)).toBe(name)
    for (const wrong of [name, String(number), number + 0.5]) expect(read(schemas.asked, wrong)).toBe(refused)
  })

  test.each([-1, 99, 6.5, null, undefined, true, [], '', 'toString'])('refuses %j both ways', wrong => {
    expect(read(schemas.asked, wrong)).toBe(refused)
    expect(read(schemas.told, wrong)).toBe(refused)
  })
})

test('the numbers are those of the older librarian', () => {
  expect(levels).toEqual({ NONE: 0, READONLY: 1, CALLBACK: 2, READAPPEND: 3, READWRITE: 4, ADMIN: 100 })
  expect(Object.keys(transferStatuses)).toEqual(['INITIATED', 'ONGOING', 'STAGED', 'COMPLETED', 'FAILED', 'CANCELLED'])
  expect(Object.values(transferStatuses)).toEqual([0, 1, 2, 3, 4, 5])
})

test('severities and categories are lower-case words, exactly', () => {
  for (const word of ['critical', 'error', 'warning', 'info']) expect(read(errorSeverity, word)).toBe(word)
  for (const word of [
    'data_integrity',
    'data_availability',
    'configuration',
    'store_full',
    'programming',
    'librarian_network_availability',
    'transfer',
  ]) {
    expect(read(errorCategory, word)).toBe(word)
  }
  for (const wrong of ['CRITICAL', 'Error', 0, '']) {
    expect(read(errorSeverity, wrong)).toBe(refused)
    expect(read(errorCategory, wrong)).toBe(refused)
  }
})

describe('deletion policy texts', () => {
  test.each(['allowed', 'ALLOWED', 'Allowed', '1'])('%j is ALLOWED', given => {
    expect(read(deletionPolicyText, given)).toBe('ALLOWED')
    expect(read(deletionPolicyFilter, given)).toBe('ALLOWED')
  })

  test.each(['disallowed', 'DISALLOWED', '0'])('%j is DISALLOWED', given => {
    expect(read(deletionPolicyText, given)).toBe('DISALLOWED')
    expect(read(deletionPolicyFilter, given)).toBe('DISALLOWED')
  })

  test('anything else keeps the file at a commit, and is a mistake in a search', () => {
    for (const given of ['', 'yes', '2', 'true', 'allow']) {
      expect(read(deletionPolicyText, given)).toBe('DISALLOWED')
      expect(read(deletionPolicyFilter, given)).toBe(refused)
    }
    for (const given of [0, 1, null, true]) expect(read(deletionPolicyText, given)).toBe(refused)
  })
})

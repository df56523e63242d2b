import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TransferError } from '../../errors.ts'
import { gsUri, parseGsUri } from './name.ts'
import { objectUrl } from './urls.ts'

const settings = { endpoint: 'https://host', userProject: undefined, identity: { is: 'anonymous' } } as const
const names = fc.string({ unit: 'binary', minLength: 1 }).filter(name => name !== '.' && name !== '..')

describe('parseGsUri()', () => {
  test.each([
    ['gs://b/a b/c%20d', 'a b/c%20d', undefined],
    ['gs://b//a', '/a', undefined],
    ['gs://b/a#12', 'a', '12'],
    ['gs://b/a#12#34', 'a#12', '34'],
    ['gs://b/a#x', 'a#x', undefined],
    ['gs://b/a?b#', 'a?b#', undefined],
    ['GS://b/a\nb', 'a\nb', undefined],
    ['gs://b/', '', undefined],
    ['gs://b', '', undefined],
  ])('of %j is object %j, generation %j', (uri, object, generation) => {
    expect(parseGsUri(uri)).toEqual({ bucket: 'b', object, generation })
  })

  test.each(['gs://', 'gs:///a', 'gs:b/a', 'gs://../a', 'gs://a@b/c', 'gs://b?c/d', 'gs://b/.', 'gs://b/\ud800'])(
    'refuses %j',
    uri => {
      expect(() => parseGsUri(uri)).toThrow(TransferError)
    },
  )

  test('and gsUri() agree about every name', () => {
    fc.assert(
      fc.property(names, fc.bigInt({ min: 1n, max: 2n ** 53n }), (name, number) => {
        const { object } = parseGsUri(gsUri('bucket', name, String(number)))
        expect(object).toBe(name)
      }),
    )
  })
})

describe('objectUrl()', () => {
  test('says every name as one segment that no URL parser changes', () => {
    fc.assert(
      fc.property(names, name => {
        const { pathname } = objectUrl(settings, { bucket: 'bucket', object: name }, { alt: 'media' })
        const segments = pathname.split('/')
        expect(segments.slice(0, 6)).toEqual(['', 'storage', 'v1', 'b', 'bucket', 'o'])
        expect(segments).toHaveLength(7)
        expect(decodeURIComponent(segments[6] as string)).toBe(name)
      }),
    )
  })
})

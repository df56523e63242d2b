import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseIdentifier } from './identifier.ts'
import { objectUris } from './object-uri.ts'

const guid = 'c5956122-ee2d-4f2c-8f1d-0b7c0f4f3a11'

describe('objectUris()', () => {
  test.each<[string, string | undefined, string[]]>([
    [guid, undefined, [`drs:${guid}`]],
    [guid, 'c.org:8443', [`drs://c.org:8443/${guid}`]],
    [`dg.4503/${guid}`, undefined, [`drs:dg.4503/${guid}`]],
    [`dg.4503/${guid}`, 'c.org', [`drs://c.org/dg.4503%2F${guid}`]],
    ['drs://dg.4503:ID', undefined, ['drs://dg.4503:ID']],
    ['drs://dg.4503:ID', 'c.org', ['drs://c.org/ID', 'drs://c.org/dg.4503%2FID']],
    ['drs://dg.4503:dg.4503%2FID', 'c.org', ['drs://c.org/dg.4503%2FID']],
    ['drs://dg.4503/ID', 'c.org', ['drs://c.org/dg.4503%2FID']],
    ['drs://prov/ns:acc', 'c.org', ['drs://c.org/acc']],
    ['drs://host.org/a%2Fb', 'c.org', ['drs://host.org/a%2Fb']],
    ['drs://127.0.0.1:8443/ID', 'c.org', ['drs://127.0.0.1:8443/ID']],
    ['dos://host.org/ID', undefined, ['drs://host.org/ID']],
    ['https://Host.org/ga4gh/drs/v1/objects/dg.A%2Fb', 'c.org', ['drs://host.org/dg.A%2Fb']],
    ['drs:dg.4503/ID', 'c.org', ['drs://c.org/dg.4503%2FID']],
    ['/a', undefined, ['drs:%2Fa']],
  ])('of %s at %s', (text, commons, uris) => {
    expect(objectUris(text, commons)).toEqual(uris)
  })

  test('name the same id again, whatever it is', () => {
    const id = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter(text => !/\s|^(?:ark|doi|drs|dos):|:\/\//i.test(text) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(text))
    fc.assert(
      fc.property(id, text => {
        expect(parseIdentifier(objectUris(text)[0]!).objectId).toBe(text)
        expect(parseIdentifier(objectUris(text, 'host.org')[0]!)).toMatchObject({ host: 'host.org', objectId: text })
      }),
    )
  })
})

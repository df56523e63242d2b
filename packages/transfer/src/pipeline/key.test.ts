import { describe, expect, test } from 'vitest'
import { keyOf } from './key.ts'

const key = (item: unknown) => keyOf(item, 0, undefined, true)

describe('keyOf()', () => {
  test('is the item itself, or its JSON, and of a long one its digest', () => {
    expect(key('418')).toBe('418')
    expect(key({ id: 'ä', n: 1 })).toBe('{"id":"ä","n":1}')
    expect(key('x'.repeat(201))).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(keyOf({}, 7, undefined, false)).toBe('7')
  })

  test('shows no secret, and still tells apart what only a secret does', () => {
    const signed = (signature: string) => `https://h.example/a?X-Amz-Signature=${signature}&part=1`
    const [a, b] = [key(signed('s3cr3t')), key(signed('other'))]
    expect(a).toMatch(/^https:\/\/h\.example\/a\?X-Amz-Signature=\*\*\*&part=1 sha256:[0-9a-f]{64}$/)
    expect(a).not.toBe(b)
    expect(key(signed('s3cr3t'))).toBe(a)
    const long = { url: signed('s3cr3t'), note: 'n'.repeat(300), headers: { authorization: 'Bearer abc123' } }
    expect(key(long)).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(key({ headers: { authorization: 'Bearer abc123' } })).not.toContain('abc123')
  })

  test('does not depend on the password of a URL, which could be guessed from a digest', () => {
    const one = key('ftp://me:first@h.example/a')
    expect(one).toMatch(/^ftp:\/\/h\.example\/a sha256:/)
    expect(one).toBe(key('ftp://me:second@h.example/a'))
    expect(one).not.toBe(key('ftp://me:first@h.example/b'))
    expect(key({ uri: 'ftp://me:first@h.example/a' })).toBe(key({ uri: 'ftp://me:second@h.example/a' }))
  })

  test("holds the caller's own keys to the same, and names what is wrong with them", () => {
    const own = (give: (item: never) => unknown) => () => keyOf('item', 4, give as never, true)
    expect(own(() => 'mine')()).toBe('mine')
    expect(own(() => 'https://h.example/a?sig=abc')()).not.toContain('abc')
    expect(own(() => '')).toThrow(/item 5.*empty text/)
    expect(own(() => 3)).toThrow('key, item 5: its function gave 3; it must give a text')
    expect(own(() => Promise.reject(new Error('late')))).toThrow('gave a Promise')
    expect(
      own(() => {
        throw new TypeError('no id')
      }),
    ).toThrow(/^key, item 5: TypeError: no id \(key\.test\.ts:\d+:\d+\)$|^key, item 5: TypeError: no id$/)
  })
})

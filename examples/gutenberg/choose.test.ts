import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseText } from './choose.ts'

describe('chooseText()', () => {
  test.each<[string, string[], string | undefined]>([
    ['N.txt before everything', ['418-0.txt', '0.txt', '418.txt'], '418.txt'],
    ['N-0.txt before other texts', ['0.txt', '418-8.txt', '418-0.txt'], '418-0.txt'],
    ['else the first text in byte order', ['readme.txt', '418-mod.txt', '418-8.txt', '4180.txt'], '418-8.txt'],
    ['byte order, not that of UTF-16', ['\u{1F600}.txt', '\uFF01.txt'], '\uFF01.txt'],
    ['byte order, not that of a dictionary', ['a.txt', 'B.txt'], 'B.txt'],
    ['full paths', ['/pub/4/1/418/418-8.txt', '/pub/4/1/418/418.txt', '/pub/4/1/418/x.txt'], '418.txt'],
    ['no text in names that only contain .txt', ['418.txt.zip', '418.txt~', '418.TXT', '418.txt.d'], undefined],
    ['no text of another book before its own', ['4180.txt', '1418.txt', 'x418.txt', '418.txt'], '418.txt'],
    ['no directory', ['418.txt/', 'old.txt/', '418-h/'], undefined],
    ['nothing', [], undefined],
  ])('%s', (_, listing, chosen) => {
    expect(chooseText(418, listing)).toBe(chosen)
  })

  test('does not depend on the order of the listing', () => {
    const name = fc.constantFrom('418.txt', '418-0.txt', '418-8.txt', '4180.txt', 'a.txt', '418.zip', 'old/', 'Z.txt')
    fc.assert(
      fc.property(fc.array(name), fc.nat(), (listing, turn) => {
        const at = turn % (listing.length + 1)
        const turned = [...listing.slice(at), ...listing.slice(0, at)].reverse()
        expect(chooseText(418, turned)).toBe(chooseText(418, listing))
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Reply, ReplyParser, textOf, wordsOf } from './reply.ts'

const SESSION =
  '220-Welcome\r\n220 is not the end? It is.\r\n211-Features:\r\n MDTM\r\n211x\r\n 211 no\r\n211 End\r\n' +
  '213 12345678\r\n226\r\n229 here (|||6446|)\n150-\r\n\r\n150 go\r\n'

describe('ReplyParser', () => {
  test('takes single and many lines', () => {
    expect(new ReplyParser().push(SESSION)).toEqual([
      { code: 220, lines: ['Welcome', 'is not the end? It is.'] },
      { code: 211, lines: ['Features:', ' MDTM', '211x', ' 211 no', 'End'] },
      { code: 213, lines: ['12345678'] },
      { code: 226, lines: [''] },
      { code: 229, lines: ['here (|||6446|)'] },
      { code: 150, lines: ['', '', 'go'] },
    ])
  })

  test('gives the same wherever the bytes are cut', () => {
    const whole = new ReplyParser().push(SESSION)
    fc.assert(
      fc.property(fc.array(fc.nat(SESSION.length), { maxLength: 8 }), cuts => {
        const parser = new ReplyParser()
        const replies: Reply[] = []
        let from = 0
        for (const to of [...cuts, SESSION.length].sort((a, b) => a - b)) {
          replies.push(...parser.push(SESSION.slice(from, to)))
          from = to
        }
        expect(replies).toEqual(whole)
      }),
    )
  })

  test('refuses what cannot be FTP', () => {
    expect(() => new ReplyParser().push('HTTP/1.1 400 Bad Request\r\n')).toThrow('no code')
    expect(() => new ReplyParser().push(`220-${'x'.repeat(300_000)}`)).toThrow('too long')
  })
})

describe('wordsOf()', () => {
  test('gives one line without controls, of bytes in UTF-8 or Latin-1', () => {
    expect(wordsOf({ code: 550, lines: ['caf\xc3\xa9\x1b[2J', ' not there'] })).toBe('café\\x1b[2J not there')
    expect(textOf('caf\xe9')).toBe('café')
  })
})

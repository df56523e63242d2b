import { describe, expect, test } from 'vitest'
import { parseTimestamp } from './facts.ts'
import { NotUnderstood, parseListTime, parseLongList, parseMlsd, parseNames } from './list-lines.ts'

const now = Date.UTC(2025, 10, 21, 12)

describe('parseMlsd()', () => {
  test('takes facts in any case, and names with blanks at either end', () => {
    const text =
      'type=cdir;unique=1; /pub\r\nType=FILE;SIZE=12;Modify=20240229123456.789; two  blanks \r\n type-less\r\n' +
      'type=OS.unix=slink:/a; link\ntype=dir;perm=el;  lead\ntype=OS.unix=chr-1/2; device\n'
    const time = Date.UTC(2024, 1, 29, 12, 34, 56, 789)
    expect(parseMlsd(text)).toMatchObject([
      { name: '/pub', kind: 'self', unique: '1' },
      { name: 'two  blanks ', kind: 'file', size: 12, lastModified: time },
      { name: 'type-less', kind: 'unknown' },
      { name: 'link', kind: 'link' },
      { name: ' lead', kind: 'directory' },
      { name: 'device', kind: 'other' },
    ])
  })

  test('refuses a line that is none', () => {
    for (const line of ['name', 'type=file;', 'type=file name', 'type=file; ']) {
      expect(() => parseMlsd(line)).toThrow(NotUnderstood)
    }
  })
})

describe('parseLongList()', () => {
  test('takes Unix forms', () => {
    const text = [
      'total 12',
      'drwxr-xr-x    2 ftp      ftp          4096 Feb 29  2024 .',
      '-rw-r--r--    1 ftp      ftp            12 Nov 21 05:55  lead and  inner',
      '-rw-r--r--    1 0        0      5000000000 Dec 24  2023 total 3',
      'drwxr-xr-x    2 ftp      ftp          4096 Feb 29  2024 d',
      'lrwxrwxrwx    1 ftp      ftp             4 Feb 29  2024 l -> a -> b',
      'crw-rw-rw-    1 0        0          1,   3 Feb 29  2024 null',
      '-rw-r--r--+   1 domain user group name 7 2024-02-29 10:11 dated',
    ]
    expect(parseLongList(text.join('\r\n'), now)).toEqual([
      { name: ' lead and  inner', kind: 'file', size: 12, lastModified: Date.UTC(2025, 10, 21, 5, 55) },
      { name: 'total 3', kind: 'file', size: 5_000_000_000, lastModified: Date.UTC(2023, 11, 24) },
      { name: 'd', kind: 'directory' },
      { name: 'l', kind: 'link' },
      { name: 'null', kind: 'other' },
      { name: 'dated', kind: 'file', size: 7, lastModified: Date.UTC(2024, 1, 29, 10, 11) },
    ])
  })

  test('takes DOS forms', () => {
    const text = '02-29-24  12:05AM       <DIR>          some dir\r\n11-21-2025  05:55PM              1234 a b.txt\r\n'
    expect(parseLongList(text, now)).toEqual([
      { name: 'some dir', kind: 'directory' },
      { name: 'a b.txt', kind: 'file', size: 1234, lastModified: Date.UTC(2025, 10, 21, 17, 55) },
    ])
  })

  test('keeps the bytes of names', () => {
    const line = (name: string) => `-rw-r--r-- 1 ftp ftp 12 Feb 29  2024 ${name}`
    const names = ['caf\xe9', 'caf\xc3\xa9', '\xe6\xbc\xa2']
    expect(parseLongList(names.map(line).join('\n'), now).map(({ name }) => name)).toEqual(names)
  })

  test('refuses a line that it does not know instead of leaving it out', () => {
    for (const line of ['FILE.TXT;1  3  1-JAN-2024', ' half a name', 'type=file;size=3; x', 'sorry, no listing']) {
      expect(() => parseLongList(`-rw-r--r-- 1 ftp ftp 12 Feb 29  2024 a\n${line}`, now)).toThrow(NotUnderstood)
    }
  })
})

describe('parseNames()', () => {
  test('takes names and paths', () => {
    expect(parseNames('a b\r\n/pub/c\r\npub/d\r\n').map(({ name }) => name)).toEqual(['a b', 'c', 'd'])
  })
})

describe('parseListTime()', () => {
  test.each([
    ['Nov 21 11:00', Date.UTC(2025, 10, 21, 11)],
    ['Nov 22 11:00', Date.UTC(2025, 10, 22, 11)],
    ['Nov 23 11:00', Date.UTC(2024, 10, 23, 11)],
    ['Dec 31 23:59', Date.UTC(2024, 11, 31, 23, 59)],
    ['Feb 29 2024', Date.UTC(2024, 1, 29)],
    ['29 Feb 2024', Date.UTC(2024, 1, 29)],
    ['02-29-24 12:00PM', Date.UTC(2024, 1, 29, 12)],
    ['01-02-98 01:02AM', Date.UTC(1998, 0, 2, 1, 2)],
    ['Xyz 21 11:00', undefined],
    ['Feb 30 2024', undefined],
  ])('%s', (text, time) => expect(parseListTime(text, now)).toBe(time))
})

describe('parseTimestamp()', () => {
  test.each([
    ['20240229123456', Date.UTC(2024, 1, 29, 12, 34, 56)],
    ['20240229123456.5', Date.UTC(2024, 1, 29, 12, 34, 56, 500)],
    [' 19991231235959 ', Date.UTC(1999, 11, 31, 23, 59, 59)],
    ['20240230123456', undefined],
    ['2024022912345', undefined],
    ['yesterday', undefined],
  ])('%s', (text, time) => expect(parseTimestamp(text)).toBe(time))
})

import { describe, expect, test } from 'vitest'
import type { Row } from './entry.ts'
import { parseManifest } from './parse-manifest.ts'

async function gather(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}

async function rowsOf(text: string): Promise<Row[]> {
  const input = (async function* () {
    yield Buffer.from(text)
  })()
  return gather(parseManifest(input, { form: 'list' }))
}

describe('a list', () => {
  test('takes one URL per line, passing over comments, blank lines and blanks around', async () => {
    const rows = await rowsOf('# mine\nhttps://h/a  \n\n   https://h/b?x=1\nftp://h/c d\n # more\ns3://b/k')
    expect(rows).toMatchObject([
      { index: 0, line: 2, uris: ['https://h/a'] },
      { index: 1, line: 4, uris: ['https://h/b?x=1'] },
      { index: 2, line: 5, uris: ['ftp://h/c d'] },
      { index: 3, line: 7, uris: ['s3://b/k'] },
    ])
  })

  test('takes aria2’s mirrors and options', async () => {
    const sha = 'ab'.repeat(20)
    const rows = await rowsOf(
      `https://h/a\thttps://m/a\n  dir=d/e/\n  out=f\n  checksum=sha-1=${sha}\n  header=X-A: 1\n  header=X-B: 2:3\n  split=5\n  http-passwd=secret\nhttps://h/b\n\tdir=d\n`,
    )
    expect(rows).toMatchObject([
      {
        uris: ['https://h/a', 'https://m/a'],
        path: 'd/e/f',
        checksums: [{ algorithm: 'sha1', value: sha }],
        headers: { 'X-A': '1', 'X-B': '2:3' },
        extra: { split: '5', 'http-passwd': '***' },
      },
      { line: 9, uris: ['https://h/b'], path: 'd/' },
    ])
  })

  test('refuses an entry with an option that cannot be used, not only the option', async () => {
    const rows = await rowsOf('https://h/a\n checksum=abc\nhttps://h/b\n header=x\nhttps://h/c\n')
    expect(rows).toMatchObject([
      { error: { message: expect.stringContaining('checksum must be TYPE=DIGEST') } },
      { line: 3, error: { message: expect.stringContaining('NAME: VALUE') } },
      { uris: ['https://h/c'] },
    ])
  })

  test('refuses an entry whose option is not UTF-8, since it may be the checksum', async () => {
    const text = Buffer.concat([
      Buffer.from('https://h/a\n checksum=sha-1='),
      Buffer.from([0xff, 10]),
      Buffer.from('https://h/b'),
    ])
    const input = (async function* () {
      yield text
    })()
    expect(await gather(parseManifest(input))).toMatchObject([
      { line: 1, error: { message: expect.stringContaining('its option on line 2 cannot be read') } },
      { uris: ['https://h/b'] },
    ])
  })

  test('refuses an option without an entry, and what is no URL', async () => {
    expect(await rowsOf(' out=x\nhello\nhttps://h/a')).toMatchObject([
      { line: 1, error: { message: expect.stringContaining('below a URI') } },
      { line: 2, error: { message: expect.stringContaining('url must be absolute') } },
      { uris: ['https://h/a'] },
    ])
  })

  test('refuses control characters in a URL', async () => {
    expect(await rowsOf('https://h/a\u0000b\nhttps://h/\u001b[2J')).toMatchObject([
      { error: { message: expect.stringContaining('U+0000') } },
      { error: { message: expect.stringContaining('U+001B') } },
    ])
  })
})

import { describe, expect, test } from 'vitest'
import { splitCells } from './csv.ts'
import type { Row } from './entry.ts'
import { parseManifest } from './parse-manifest.ts'

async function gather(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}

async function rowsOf(text: string, name = 'm.csv'): Promise<Row[]> {
  const input = (async function* () {
    yield Buffer.from(text)
  })()
  return gather(parseManifest(input, { name }))
}

describe('a table', () => {
  test('takes quoted cells with delimiters, quotes and line ends, and counts lines right', async () => {
    const rows = await rowsOf('url,note\n"https://h/a","x, ""y""\nz"\nhttps://h/b,\n')
    expect(rows).toMatchObject([
      { index: 0, line: 2, uris: ['https://h/a'], extra: { note: 'x, "y"\nz' } },
      { index: 1, line: 4, uris: ['https://h/b'], extra: undefined },
    ])
  })

  test('takes several URLs, headers and checksums in cells', async () => {
    const row = `https://h/a https://m/a,"{""X-A"":""1""}","{""md5"":""${'ab'.repeat(16)}""}"`
    expect(await rowsOf(`urls,headers,checksums\n${row}\n"[""https://h/b c""]",,\n`)).toMatchObject([
      { uris: ['https://h/a', 'https://m/a'], headers: { 'X-A': '1' }, checksums: [{ algorithm: 'md5' }] },
      { error: { message: expect.stringContaining('percent-encoded') } },
    ])
  })

  test('refuses rows with too few or too many cells, and text behind a closing quote', async () => {
    expect(await rowsOf('url,size\nhttps://h/a\nhttps://h/b,1,2\n"https://h/c"x,1\nhttps://h/d,1\n')).toMatchObject([
      { line: 2, error: { message: expect.stringContaining('2 cells as the header has, got 1') } },
      { line: 3, error: { message: expect.stringContaining('got 3') } },
      { line: 4, error: { message: expect.stringContaining('closing quote') } },
      { uris: ['https://h/d'], size: 1 },
    ])
  })

  test('loses one row, not the rest, to a quote that is never closed', async () => {
    expect(await rowsOf('url,note\nhttps://h/a,"open\nhttps://h/b,x\nhttps://h/c,y')).toMatchObject([
      { line: 2, error: { message: expect.stringContaining('every quote must be closed') } },
      { index: 1, line: 3, uris: ['https://h/b'] },
      { index: 2, line: 4, uris: ['https://h/c'] },
    ])
  })

  test.each([
    ['filepath,size\n', 'a column must be called url or urls, got "filepath,size"'],
    ['url,url\n', 'a name of its own, got "url"'],
    ['url,__proto__\n', '__proto__'],
    ['"url"x\n', 'closing quote'],
    ['"url\n', 'the header cannot be read'],
    ['', 'must begin with a header, got nothing'],
  ])('throws for the header %j', async (text, met) => {
    await expect(rowsOf(text)).rejects.toMatchObject({ code: 'Usage', message: expect.stringContaining(met) })
  })

  test('may be separated by tabs', async () => {
    expect(await rowsOf('url\tfilepath\nhttps://h/a\t"x\ty"\n', 'm.tsv')).toMatchObject([
      { error: { message: expect.stringContaining('U+0009') } },
    ])
    expect(await rowsOf('url\tfilepath\nhttps://h/a\tx,y\n', 'm.txt')).toMatchObject([{ path: 'x,y' }])
  })
})

describe('splitCells()', () => {
  test.each([
    ['a,b,', ['a', 'b', '']],
    ['"a","",b"c', ['a', '', 'b"c']],
    ['"a""b",', ['a"b', '']],
    [',"x"', ['', 'x']],
    ['""', ['']],
  ])('cuts %s', (record, cells) => {
    expect(splitCells(record, ',')).toEqual(cells)
  })
})

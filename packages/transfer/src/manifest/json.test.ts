import { describe, expect, test } from 'vitest'
import { isBadRow, type Row } from './entry.ts'
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
  return gather(parseManifest(input))
}

async function problemOf(row: string): Promise<string> {
  const rows = await rowsOf(`[${row},{"url":"https://h/next"}]`)
  expect(rows).toHaveLength(2)
  expect(rows[1]).toMatchObject({ index: 1, uris: ['https://h/next'] })
  const [bad] = rows
  if (!bad || !isBadRow(bad)) throw new Error(`accepted ${row}`)
  expect(bad.error.code).toBe('Usage')
  return bad.error.message
}

describe('a JSON manifest', () => {
  test('is getm’s array, unchanged', async () => {
    const rows = await rowsOf(`[
      {"url": "https://h/a", "filepath": "a", "checksum": "25f9e794323b453885f5181f1b624d0b", "checksum-algorithm": "md5"},
      {"url": "https://h/b", "checksum": "4waSgw==", "checksum-algorithm": "gs_crc32c", "other": {"deep": [1]}},
      {"url": "https://h/c", "checksum": "whatever", "checksum-algorithm": "null"},
      {"url": "https://h/d"}
    ]`)
    expect(rows).toMatchObject([
      {
        line: 2,
        uris: ['https://h/a'],
        path: 'a',
        checksums: [{ algorithm: 'md5', value: '25f9e794323b453885f5181f1b624d0b' }],
      },
      { line: 3, checksums: [{ algorithm: 'crc32c', value: 'e3069283' }], extra: { other: { deep: [1] } } },
      { line: 4, checksums: [{ algorithm: 'null' }] },
      { line: 5, checksums: [] },
    ])
  })

  test('takes every field of the superset', async () => {
    const [row] = await rowsOf(
      `[{"url":"https://h/a","urls":["https://m/a","https://h/a","s3://b/k with blank"],"checksums":{"sha-256":"${'AB'.repeat(32)}","md5":"JfnnlDI7RTiF9RgfG2JNCw=="},` +
        '"size":"12","headers":{"X-Api-Key":" k "},"etag":"W/\\"x\\"","version":17,"priority":2,"range":"2-5","mode":"0640","id":"z"}]',
    )
    expect(row).toEqual({
      index: 0,
      line: 1,
      uris: ['https://h/a', 'https://m/a', 's3://b/k with blank'],
      path: undefined,
      checksums: [
        { algorithm: 'sha256', value: 'ab'.repeat(32) },
        { algorithm: 'md5', value: '25f9e794323b453885f5181f1b624d0b' },
      ],
      size: 12,
      headers: { 'X-Api-Key': 'k' },
      etag: { value: 'x', isWeak: true },
      version: '17',
      priority: 2,
      range: { start: 2, end: 6 },
      extra: { mode: '0640', id: 'z' },
    })
  })

  test('reads a range as object with an exclusive end', async () => {
    expect(await rowsOf('[{"url":"https://h/a","range":{"start":0,"end":5}}]')).toMatchObject([
      { range: { start: 0, end: 5 } },
    ])
  })

  test.each([
    ['7', 'must be a JSON object, got 7'],
    ['"https://h/a"', 'must be a JSON object'],
    ['[]', 'must be a JSON object'],
    ['null', 'must be a JSON object'],
    ['', 'got nothing'],
    ['{}', 'must name a url'],
    ['{"urls":[]}', 'must name a url'],
    ['{"url":""}', 'must name a url'],
    ['{"url":5}', 'url must be a string, got 5'],
    ['{"url":"h/a"}', 'url must be absolute'],
    ['{"url":"C:\\\\a"}', 'url must be absolute'],
    ['{"url":"https:///a"}', 'url must be absolute'],
    ['{"url":"https://h/a b"}', 'percent-encoded'],
    ['{"url":"https://h/a\\nHost: x"}', 'got U+000A'],
    ['{"url":"https://h/\\ud800"}', 'lone surrogate'],
    ['{"url":"https://h/a","filepath":7}', 'filepath must be a string'],
    ['{"url":"https://h/a","filepath":"a\\u0000"}', 'U+0000'],
    ['{"url":"https://h/a","checksum":"ab"}', 'checksum requires checksum-algorithm'],
    ['{"url":"https://h/a","checksum-algorithm":"md5"}', 'checksum-algorithm requires checksum'],
    [
      '{"url":"https://h/a","checksum":"ab","checksum-algorithm":"md5"}',
      "the checksum 'ab': md5 must be 32 hex digits",
    ],
    ['{"url":"https://h/a","checksum":"ab","checksum-algorithm":"sha255"}', 'did you mean sha256'],
    ['{"url":"https://h/a","checksums":["ab"]}', 'checksums must be an object'],
    ['{"url":"https://h/a","size":-1}', 'size must be a whole number from 0 to 2^53 - 1, got -1'],
    ['{"url":"https://h/a","size":1.5}', 'got 1.5'],
    ['{"url":"https://h/a","size":9007199254740993}', 'size'],
    ['{"url":"https://h/a","size":"9007199254740993"}', 'size'],
    ['{"url":"https://h/a","size":"1e3"}', 'size'],
    ['{"url":"https://h/a","size":true}', 'got true'],
    ['{"url":"https://h/a","headers":{"a b":"c"}}', 'token'],
    ['{"url":"https://h/a","headers":{"a":"c\\r\\nd"}}', 'printable'],
    ['{"url":"https://h/a","headers":{"a":1}}', 'the header a'],
    ['{"url":"https://h/a","etag":"a\\"b"}', 'entity tag'],
    ['{"url":"https://h/a","range":"5-4"}', 'at least one byte'],
    ['{"url":"https://h/a","range":"5-"}', 'FIRST-LAST'],
    ['{"url":"https://h/a","range":7}', 'range.start'],
    ['{"url":"https://h/a","range":"0-9","size":5}', 'within the size of 5 bytes'],
    [
      '{"url":"https://h/a","id":9007199254740993}',
      'the number id must be at most 2^53 - 1 (in quotes it may be longer), got 9007199254740993',
    ],
    ['{"url":"https://h/a","url":"https://h/b"}', 'same key twice'],
    ['{"url":"https://h/a","x":{"k":1,"k":1}}', 'same key twice'],
    ['{"url":"https://h/a","__proto__":{"size":1}}', '__proto__'],
    ['{"url":"https://h/a","x":[{"\\u005f_proto__":{}}]}', '__proto__'],
    [`{"url":"https://h/a","x":${'['.repeat(40)}${']'.repeat(40)}}`, 'at most 32 deep, got 41'],
    ['{"url":"https://h/a",}', 'valid JSON'],
    ['{"url":"https://h/a" "b":1}', 'valid JSON'],
    ['{"url":"https://h/a\tb"}', 'valid JSON'],
    ['{"a":1]', 'valid JSON'],
    ['NaN', 'valid JSON'],
  ])('refuses the row %s alone', async (row, met) => {
    expect(await problemOf(row)).toContain(met)
  })

  test('never shows a secret of a row that is refused', async () => {
    expect(await problemOf('{"url":"https://u:secret@h/a b?sig=secret"}')).not.toContain('secret')
    expect(await problemOf('{"url":"https://h/a?sig=secret" "x"}')).not.toContain('secret')
    expect(await problemOf('{"url":"https://h/a","headers":{"Authorization":"secret\\u0000"}}')).not.toContain('secret')
  })

  test('keeps numbers that only look long', async () => {
    const [row] = await rowsOf('[{"url":"https://h/a","x":0.12345678901234567890,"y":"12345678901234567890"}]')
    expect(row).toMatchObject({ extra: { x: 0.12345678901234568, y: '12345678901234567890' } })
  })

  test('puts nothing on any prototype', async () => {
    const [row] = await rowsOf('[{"url":"https://h/a","constructor":{"prototype":1},"toString":"x"}]')
    expect(row).toMatchObject({ extra: { constructor: { prototype: 1 }, toString: 'x' } })
    expect(({} as Record<string, unknown>).prototype).toBeUndefined()
  })

  test('reports a comma too many as a row', async () => {
    const rows = await rowsOf('[{"url":"https://h/a"},]')
    expect(rows).toMatchObject([
      { uris: ['https://h/a'] },
      { index: 1, error: { message: expect.stringContaining('comma too many') } },
    ])
  })

  test.each([
    ['[{"url":"https://h/a"}', 'must end with ], got the end'],
    ['[{"url":"https://h/a"}, {"url":"b', 'in the middle of the row begun on line 1'],
    ['[{"url":"https://h/a"}] x', 'nothing may follow the closing ], got "x"'],
    ['[{"url":"https://h/a"},\n}]', 'on from line 2, after 1 rows: brackets must match'],
  ])('throws for the broken array %j', async (text, met) => {
    await expect(rowsOf(text)).rejects.toMatchObject({ code: 'Usage', message: expect.stringContaining(met) })
  })
})

describe('JSON Lines', () => {
  test('take each line alone', async () => {
    const rows = await rowsOf('{"url":"https://h/a"}\n{"url":\n\n{"url":"https://h/b"}')
    expect(rows).toMatchObject([{ line: 1 }, { index: 1, line: 2, error: { code: 'Usage' } }, { index: 2, line: 4 }])
  })
})

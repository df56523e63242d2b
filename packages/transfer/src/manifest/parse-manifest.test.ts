import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TransferError } from '../errors.ts'
import { isBadRow, type Row } from './entry.ts'
import { type ManifestOptions, parseManifest } from './parse-manifest.ts'

const sha = 'ab'.repeat(32)
const guid = 'b96018c5-db06-4af8-a195-28e339ba815e'

/** The rows, and how the list ended. Errors as their messages, so that two readings can be compared. */
async function read(input: Iterable<Uint8Array>, options?: ManifestOptions): Promise<unknown[]> {
  const found: unknown[] = []
  try {
    for await (const rows of parseManifest(chunks(input), options)) {
      expect(rows.length).toBeGreaterThan(0)
      for (const row of rows) found.push(isBadRow(row) ? { ...row, error: row.error.message } : row)
    }
  } catch (error) {
    found.push(error instanceof TransferError ? `${error.code}: ${error.message}` : error)
  }
  return found
}

async function* chunks(input: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* input
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

const entry = { uris: ['https://h/a'], path: 'd/a', checksums: [{ algorithm: 'sha256', value: sha }], size: 5 }

/** The same entry in every form that can say it. */
const samples: Record<string, string> = {
  json: `[{"url":"https://h/a","filepath":"d/a","checksum":"${sha}","checksum-algorithm":"sha256","size":5}]`,
  jsonl: `{"url":"https://h/a","filepath":"d/a","checksums":{"sha256":"${sha}"},"size":5}\n`,
  csv: `url,filepath,checksum,checksum-algorithm,size\nhttps://h/a,"d/a",${sha},sha256,5\n`,
  tsv: `url\tfilepath\tchecksum\tchecksum-algorithm\tsize\nhttps://h/a\td/a\t${sha}\tsha256\t5\n`,
  list: `# aria2\nhttps://h/a\n dir=d\n out=a\n checksum=sha-256=${sha}\n size=5\n`,
  metalink: `<?xml version="1.0" encoding="UTF-8"?>\n<metalink xmlns="urn:ietf:params:xml:ns:metalink">
    <file name="d/a"><size>5</size><hash type="sha-256">${sha}</hash><url>https://h/a</url></file></metalink>`,
}

/** Good rows, bad rows and odd ones, in every form. */
const mixtures: Record<string, string> = {
  json: ` [ {"url":"https://h/é😀","x":{"a":[1,"]}\\"\\\\"]}},\n {"url":1},\r\n{"url":"https://h/b" "c"}, 7 ,{},\n{"url":"https://h/c","url":"https://h/d"}]\n `,
  'json broken': '[{"url":"https://h/a"},\n{"url":"https://h/b"}, {"url":"htt',
  'json stray': '[{"url":"https://h/a"},\n}]',
  jsonl: '{"url":"https://h/é"}\r\n\n{"url":"h"}\n[1]\n{"url":\n{"url":"https://h/b"}',
  csv: 'url,filepath,note\r\nhttps://h/a,"d ""q"", é\nsecond line",x\r\nhttps://h/b,,\r\nhttps://h/c,d\r\n,d,\r\n"https://h/d"x,y,z\r\nhttps://h/e,f,"never closed\r\nhttps://h/g,h,i\r\n',
  list: '# c\nhttps://h/é\n\nhttps://h/b\thttps://m/b\n\tout=x y\n  checksum=sha-1=zz\nnonsense\n  size=1\n   https://h/c\n out=orphan? no\n',
  checksums: `${sha}  d/é\r\n${'cd'.repeat(16)} *b\n\\${sha}  n\\\\l\nSHA1 (x (1).txt) = ${'ef'.repeat(20)}\nzz\n${'ab'.repeat(15)}  odd\n`,
  metalink:
    '<metalink xmlns="urn:ietf:params:xml:ns:metalink"><!-- > é --><file name="a&amp;&#x62;"><url priority="2">https://h/2</url><url priority=\'1\'><![CDATA[https://h/1?a&b]]></url><identity>i</identity></file>\n<file><url>https://h/x</url></file><file name="c"/></metalink>\n',
  gdc: `id\tfilename\tmd5\tsize\tstate\r\n${guid}\t#é\t"##"x#\t\t5\t\r\n\tb\t\t\t\n${guid}\t#open\n../x\ty\t\t\t\n`,
  gen3: `guid,urls,file_size,md5\n${guid},"['s3://b/é', 'gs://b/k']",5,\n,,6,\n"dg.1/a b",,,\nx,,-1,zz\n`,
  drs: `sample\tcram_drs_uri\ns\tdrs://dg.4503:é\nt\tdrs://word/x\nu\tgs://b/k\n`,
  ids: `# c\n${guid}, drs://dg.1:x ,${guid}\n out=a\n${guid}\n out=é\nhttps://h/a,b\nnonsense\n`,
  fetch: `https://h/a 5 data/é%0a\r\nhttps://h/b - data/b%25\n\nx y z\nhttps://h/c 1 ../c\n`,
  page: '\n <!-- é --><html><body>\nLog in',
  'commons broken': `[{"object_id":"${guid}","file_size":-1},{"guid":5},{"object_id":"${guid}"`,
  'metalink broken':
    '<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="a"><url>https://h/a</url></file><file></metalink>',
}

describe('parseManifest()', () => {
  test.each(Object.entries(samples))('knows %s by its content and makes the same entry of it', async (_, text) => {
    expect(await read([Buffer.from(text)])).toMatchObject([{ index: 0, ...entry }])
  })

  test.each(Object.entries({ ...samples, ...mixtures }))('reads %s alike in any cut of the bytes', async (_, text) => {
    const bytes = Buffer.from(text)
    const whole = await read([bytes])
    expect(whole.length).toBeGreaterThan(0)
    expect(await read(cut(bytes, [...bytes.keys()]))).toEqual(whole)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 8 }), async places => {
        expect(await read(cut(bytes, places))).toEqual(whole)
      }),
    )
  })

  test.each(Object.entries(samples))('tolerates a byte order mark and CRLF in %s', async (_, text) => {
    const bytes = Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`)
    expect(await read(cut(bytes, [1, 2, 3]))).toMatchObject([entry])
  })

  test('reads any garbage alike in any cut, and never fails but with Usage', async () => {
    const letter = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      '"',
      '\\',
      ',',
      ':',
      '\n',
      '\r',
      '\t',
      ' ',
      '<',
      '>',
      '&',
      ';',
      '#',
      '=',
      'https://h/a',
      'url',
      'drs:',
      'id',
      'guid',
      'size',
      '-1',
      '\u{fffd}',
      '/',
      '-',
      '!',
    )
    const form = fc.constantFrom(
      'json',
      'jsonl',
      'csv',
      'tsv',
      'list',
      'metalink',
      'checksums',
      'ids',
      'fetch',
      undefined,
    )
    const bytes = fc.oneof(
      fc.string({ unit: letter, maxLength: 60 }).map(text => Buffer.from(text)),
      fc
        .tuple(
          fc.string({ unit: letter, maxLength: 20 }),
          fc.uint8Array({ maxLength: 6 }),
          fc.string({ unit: letter, maxLength: 20 }),
        )
        .map(parts => Buffer.concat([Buffer.from(parts[0]), parts[1], Buffer.from(parts[2])])),
    )
    await fc.assert(
      fc.asyncProperty(form, bytes, fc.array(fc.nat(), { maxLength: 6 }), async (chosen, input, places) => {
        const whole = await read([input], { form: chosen as ManifestOptions['form'] })
        for (const row of whole) if (typeof row === 'string') expect(row).toMatch(/^Usage: /)
        expect(whole.filter(row => row instanceof Error)).toEqual([])
        expect(await read(cut(input, places), { form: chosen as ManifestOptions['form'] })).toEqual(whole)
      }),
      { numRuns: 1500 },
    )
  })

  test('reads back any rows that were written as JSON array, JSON Lines or CSV', async () => {
    const path = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '"', ',', '[', '}', '/', "'", ' '),
      minLength: 1,
      maxLength: 12,
    })
    const row = fc.record({
      url: path.map(text => `https://h/${encodeURIComponent(text)}`),
      filepath: path,
      size: fc.maxSafeNat(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        async (rows, places) => {
          const expected = rows.map(({ url, filepath, size }, index) => ({ index, uris: [url], path: filepath, size }))
          const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
          const texts = [
            JSON.stringify(rows),
            JSON.stringify(rows, null, 2),
            rows.map(item => JSON.stringify(item)).join('\n'),
            ['url,filepath,size', ...rows.map(item => `${item.url},${quote(item.filepath)},${item.size}`)].join('\r\n'),
          ]
          for (const text of texts) expect(await read(cut(Buffer.from(text), places))).toMatchObject(expected)
        },
      ),
    )
  })

  test('yields nothing for an empty list, but refuses an empty table', async () => {
    expect(await read([])).toEqual([])
    expect(await read([Buffer.from(' \n# only a comment\n')])).toEqual([])
    expect(await read([Buffer.from('[ ]')])).toEqual([])
    expect(await read([], { name: 'x.csv' })).toEqual([expect.stringContaining('must begin with a header')])
  })

  test('takes the form from the extension before the content, and from the caller before both', async () => {
    const text = Buffer.from('url\nhttps://h/a\n')
    expect(await read([text], { name: 'https://x/l.tsv?sig=1' })).toMatchObject([{ uris: ['https://h/a'] }])
    expect(await read([text], { name: 'l.csv', form: 'list' })).toMatchObject([{ index: 0 }, { uris: ['https://h/a'] }])
  })

  test('names the row, the line and the manifest, without its secrets', async () => {
    const [, bad] = await read([Buffer.from('[{"url":"https://h/a"},\n\n{"url":"https:///x?sig=secret"}]')], {
      name: 'https://me:pw@host/m.json?token=t',
    })
    expect(bad).toMatchObject({ index: 1, line: 3 })
    const message = (bad as { error: string }).error
    expect(message).toMatch(
      /^Cannot use row 2 \(line 3\) of https:\/\/host\/m\.json\?token=\*\*\*: url must be absolute/,
    )
    expect(message).not.toMatch(/pw|secret/)
  })

  test('refuses UTF-16 with a word about it', async () => {
    expect(await read([Buffer.from('\ufeffhttps://h/a', 'utf16le')])).toEqual([expect.stringContaining('got UTF-16')])
  })

  test('names the first byte that is not UTF-8 and goes on with the next row', async () => {
    const list = Buffer.concat([
      Buffer.from('https://h/a\nhttps://h/\ufffd'),
      Buffer.from([0xe9]),
      Buffer.from('\nhttps://h/c\n'),
    ])
    expect(await read([list])).toMatchObject([
      { uris: ['https://h/a'] },
      { line: 2, error: expect.stringContaining('UTF-8, got byte 0xe9 at byte 13 of the row') },
      { index: 2, uris: ['https://h/c'] },
    ])
    const json = Buffer.concat([
      Buffer.from('[{"url":"https://h/'),
      Buffer.from([0xff]),
      Buffer.from('"},{"url":"https://h/b"}]'),
    ])
    expect(await read([json])).toMatchObject([{ error: expect.stringContaining('byte 18') }, { uris: ['https://h/b'] }])
  })

  test.each([
    ['list', (text: string) => `https://h/${text}\nhttps://h/b\n`],
    ['jsonl', (text: string) => `{"url":"https://h/${text}"}\n{"url":"https://h/b"}\n`],
    ['csv', (text: string) => `url\nhttps://h/${text}\nhttps://h/b\n`],
    ['json', (text: string) => `[{"url":"https://h/${text}"},{"url":"https://h/b"}]`],
  ])('refuses a row above 1 MiB in %s, in bounded memory, and goes on', async (form, write) => {
    const bytes = Buffer.from(write('x'.repeat(3 * 1024 * 1024)))
    const options = { form: form as ManifestOptions['form'] }
    const whole = await read([bytes], options)
    expect(whole).toMatchObject([{ error: expect.stringContaining('at most 1 MiB') }, { uris: ['https://h/b'] }])
    expect(await read(cut(bytes, [1, 1024 * 1024, 1024 * 1024 + 1, 2_000_000]), options)).toEqual(whole)
  })

  test('stops reading its input when the caller stops', async () => {
    let isClosed = false
    async function* endless() {
      try {
        for (;;) yield Buffer.from('https://h/a\n'.repeat(10))
      } finally {
        isClosed = true
      }
    }
    for await (const rows of parseManifest(endless())) if (rows.length > 0) break
    expect(isClosed).toBe(true)
  })

  test('passes on what its input throws, after the rows before it', async () => {
    const failure = new Error('connection lost')
    async function* failing() {
      yield Buffer.from('https://h/a\nhttps://h/b\n')
      throw failure
    }
    const rows: Row[] = []
    const reading = async () => {
      for await (const batch of parseManifest(failing())) rows.push(...batch)
    }
    await expect(reading()).rejects.toBe(failure)
    expect(rows).toMatchObject([{ uris: ['https://h/a'] }])
  })

  test.each([
    ['list', '', (index: number) => `https://host/data/file-${index}.fits\n`],
    ['jsonl', '', (index: number) => `{"url":"https://host/data/file-${index}.fits","size":${index}}\n`],
    ['tsv', 'id\tfilename\tsize\n', (index: number) => `${index}\tfile-${index}.bam\t${index}\n`],
  ])('streams a million rows of a %s in bounded memory', async (_, head, row) => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const total = 1_000_000
    async function* million() {
      let text = head
      for (let index = 0; index < total; index++) {
        text += row(index)
        if (text.length < 65_536 && index < total - 1) continue
        yield Buffer.from(text)
        text = ''
      }
    }
    let count = 0
    let bad = 0
    let peak = 0
    collect()
    const before = process.memoryUsage().heapUsed
    let next = 0
    for await (const rows of parseManifest(million())) {
      for (const item of rows) if (isBadRow(item)) bad++
      count += rows.length
      if (count < next) continue
      next += total / 5
      collect()
      peak = Math.max(peak, process.memoryUsage().heapUsed - before)
    }
    expect({ count, bad }).toEqual({ count: total, bad: 0 })
    expect(peak).toBeLessThan(16 * 1024 * 1024)
  })
})

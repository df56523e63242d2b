import { describe, expect, test } from 'vitest'
import { isBadRow, type Row } from './entry.ts'
import { type ManifestOptions, parseManifest } from './parse-manifest.ts'

const guid = 'b96018c5-db06-4af8-a195-28e339ba815e'
const other = 'c5956122-ee2d-4f2c-8f1d-0b7c0f4f3a11'
const md5 = '65196806d31002bd48abed020d861cf1'
const md5base64 = Buffer.from(md5, 'hex').toString('base64')

/** Cut at every byte, so that each form is seen to be known from whatever comes first. */
async function rowsOf(text: string, options?: ManifestOptions): Promise<Row[]> {
  const rows: Row[] = []
  const input = (async function* () {
    for (const byte of Buffer.from(text)) yield Uint8Array.of(byte)
  })()
  for await (const batch of parseManifest(input, options)) rows.push(...batch)
  return rows
}

async function reasonsOf(text: string, options?: ManifestOptions): Promise<unknown[]> {
  const rows = await rowsOf(text, options)
  return rows.map(row => (isBadRow(row) ? row.reason : 'good'))
}

const object = {
  id: `dg.XXTS/${guid}`,
  uris: [`drs://test.commons1.io/dg.XXTS%2F${guid}`],
  path: 'a.sav',
  size: 1566369,
  checksums: [{ algorithm: 'md5', value: md5 }],
}

/** The same object in every form that can say all of it (gen3 4.1). */
const samples: Record<string, string> = {
  'M1, as the portal writes it': `[{"object_id":"dg.XXTS/${guid}","file_name":"a.sav","file_size":1566369,"md5sum":"${md5}","commons_url":"test.commons1.io"}]`,
  'M1, other names of its fields': `\ufeff [\r\n{"guid":"dg.XXTS/${guid}","file_name":"a.sav","size":"1566369","md5":"${md5base64}","commons_url":"https://Test.commons1.io/"}]`,
  'M1, an indexd record': `[{"did":"dg.XXTS/${guid}","file_name":"a.sav","size":1566369,"hashes":{"md5":"${md5}","crc":null},"urls":[],"commons_url":"https://test.commons1.io/index/"}]`,
  'M1, a DRS object': `[{"id":"dg.XXTS/${guid}","file_name":"a.sav","size":1566369,"checksums":[{"type":"md5","checksum":"${md5}"},{"type":"trunc512","checksum":"x"}],"commons_url":"test.commons1.io"}]`,
  M2: `{"object_id":"dg.XXTS/${guid}","file_name":"a.sav","file_size":1566369,"md5sum":"${md5}","commons_url":"http://test.commons1.io"}\n`,
  M5: `guid,md5,size,file_name,commons_url\r\ndg.XXTS/${guid},${md5},1566369,a.sav,test.commons1.io\r\n`,
  'M5 with tabs': `GUID\tfile_md5sum\ts3_file_size\tfilename\tcommons_url\ndg.XXTS/${guid}\t${md5}\t1566369\ta.sav\ttest.commons1.io\n`,
  'M1 as a table': `id,file_name,file_size,md5sum,commons_url\ndg.XXTS/${guid},a.sav,1566369,${md5},test.commons1.io`,
}

describe('a manifest of a commons', () => {
  test.each(Object.entries(samples))('is one object: %s', async (_, text) => {
    expect(await rowsOf(text)).toMatchObject([object])
  })

  test('keeps what it does not know', async () => {
    const [row] = await rowsOf(
      `[{"object_id":"${guid}","subject_id":"s1","case_id":["a"],"id":7,"version":"x","acl":["*"],"nested":{"object_id":null}}]`,
    )
    expect(row).toEqual({
      ...{ index: 0, line: 1, id: guid, uris: [`drs:${guid}`], checksums: [] },
      extra: { subject_id: 's1', case_id: ['a'], id: 7, version: 'x', acl: ['*'], nested: { object_id: null } },
    })
  })

  test('takes -1 and null for a size that nobody set', async () => {
    const rows = await rowsOf(
      `{"guid":"a","size":-1}\n{"guid":"b","file_size":"-1","size":7}\n{"guid":"c","size":null}`,
    )
    expect(rows.map(row => (isBadRow(row) ? row.error : row.size))).toEqual([undefined, 7, undefined])
  })

  test('takes every digest that a row has', async () => {
    const sha = 'ab'.repeat(32)
    const [row] = await rowsOf(
      `{"guid":"a","sha256":"${sha}","crc32c":"4waSgw==","crc":"CBF43926","etag":"${md5}-3","hash":"${md5}"}`,
    )
    expect(row).toMatchObject({
      checksums: [
        { algorithm: 'sha256', value: sha },
        { algorithm: 'crc32c', value: 'e3069283' },
        { algorithm: 'crc32', value: 'cbf43926' },
        { algorithm: 's3_etag', value: `${md5}-3` },
        { algorithm: 'md5', value: md5 },
      ],
    })
  })

  test.each([
    ['drs_uri', 'drs://dg.4503:ID', ['drs://dg.4503:ID']],
    ['ga4gh_drs_uri', 'drs://host.org/ID', ['drs://host.org/ID']],
    ['object_id', 'https://host.org/ga4gh/drs/v1/objects/a%2Fb', ['drs://host.org/a%2Fb']],
    ['did', `dg.4503/${guid}`, [`drs:dg.4503/${guid}`]],
  ])('takes the forms of gen3 5.1 in %s', async (key, text, uris) => {
    expect(await rowsOf(`[{"${key}":"${text}"}]`)).toMatchObject([{ id: text, uris }])
  })

  test('finds the commons of a bare id in the DRS URI of its row', async () => {
    const rows = await rowsOf(
      `{"object_id":"dg.1/${guid}","ga4gh_drs_uri":"drs://host.org/dg.1%2F${guid}"}\n{"object_id":"${guid}","drs_uri":"drs://host.org/other"}`,
    )
    expect(rows).toMatchObject([{ uris: [`drs://host.org/dg.1%2F${guid}`] }, { uris: [`drs:${guid}`] }])
  })

  test('stands beside rows of URLs, also in one file', async () => {
    const rows = await rowsOf(
      `[{"url":"https://h/a","id":"mine","size":3,"file_size":4},{"id":"${guid}","file_size":4},{"object_id":"${guid}","url":"https://h/b","md5sum":"${md5}"},{"url":"drs:${guid}"}]`,
    )
    expect(rows).toMatchObject([
      { id: undefined, uris: ['https://h/a'], size: 3, extra: { id: 'mine', file_size: 4 } },
      { id: guid, uris: [`drs:${guid}`], size: 4 },
      { id: guid, uris: [`drs:${guid}`, 'https://h/b'], checksums: [{ value: md5 }] },
      { id: undefined, uris: [`drs:${guid}`] },
    ])
  })

  test.each([
    ['{}', 'no_id', 'or an object in object_id'],
    ['{"file_name":"a"}', 'no_id', 'must name a url'],
    ['{"object_id":5}', 'no_id', 'object_id must be a string, got 5'],
    ['{"object_id":"a b"}', 'no_id', 'object_id must name an object: it must be a GUID or a DRS URI, got "a b"'],
    ['{"object_id":"ark:/1/2"}', 'no_id', 'behind drs:// only'],
    ['{"object_id":"drs://word/x"}', 'no_id', 'drs://prefix:id'],
    ['{"drs_uri":"https://u:secret@h/x?sig=secret"}', 'no_id', 'drs_uri must name an object'],
    ['{"guid":"a","file_size":-2}', 'bad_size', 'file_size must be a whole number from 0 to 2^53 - 1, got -2'],
    ['{"guid":"a","size":1.5}', 'bad_size', 'got 1.5'],
    ['{"guid":"a","size":"12 MB"}', 'bad_size', 'size must'],
    ['{"guid":"a","size":5,"file_size":6}', 'bad_size', "agree with the row's other size, 5"],
    ['{"guid":"a","md5sum":"abc"}', 'bad_md5', 'md5 must be 32 hex digits'],
    [`{"guid":"a","md5":"${md5}0"}`, 'bad_md5', 'md5 must be'],
    ['{"guid":"a","md5":7}', 'bad_md5', 'md5 must be a string'],
    [`{"guid":"a","md5":"${md5}","hash":"${'0'.repeat(32)}"}`, 'bad_md5', "agree with the row's other md5"],
    ['{"guid":"a","sha256":"x"}', 'bad_md5', 'sha256 must be 64 hex'],
    ['{"guid":"a","urls":["nowhere"]}', 'bad_url', 'urls must be absolute'],
    ['{"guid":"a","urls":7}', 'bad_url', 'array'],
    ['{"guid":"a","file_name":7}', 'bad_name', 'file_name must be a string, got 7'],
    ['{"guid":"a","file_name":"\\ud800"}', 'bad_name', 'lone surrogate'],
    ['{"guid":"a","commons_url":"a b"}', 'bad_commons', 'commons_url must be a host'],
    ['{"guid":"a","commons_url":"ftp://h"}', 'bad_commons', 'commons_url'],
    ['{"guid":"a","commons_url":"https://u:secret@h"}', 'bad_commons', 'commons_url'],
    ['{"guid":"a","commons_url":"h:99999"}', 'bad_commons', 'commons_url'],
    ['{"guid":"a","commons_url":"h?x"}', 'bad_commons', 'commons_url'],
    ['{"url":"nowhere"}', 'bad_url', 'url must be absolute'],
    ['{"url":"drs://word/x"}', 'bad_url', 'url must name an object'],
    ['{"url":"https://h/a","size":-1}', 'bad_size', 'size must'],
    ['{"url":"https://h/a","checksums":{"md5":"x"}}', 'bad_md5', 'md5 must'],
    ['{"url":"https://h/a","headers":7}', undefined, 'headers must be an object'],
    ['{"guid":', undefined, 'valid JSON'],
  ])('refuses %s as %s, and goes on', async (row, reason, met) => {
    const [bad, good] = await rowsOf(`${row}\n{"guid":"${guid}"}`)
    expect(bad).toMatchObject({ index: 0, line: 1, error: { code: 'Usage', message: expect.stringContaining(met) } })
    expect((bad as { reason?: string }).reason).toBe(reason)
    expect((bad as { error: Error }).error.message).not.toContain('secret')
    expect(good).toMatchObject({ id: guid, line: 2 })
  })

  test('leaves unsafe names to the plan of names', async () => {
    expect(await rowsOf(`{"guid":"a","file_name":"../x\\u0000"}`)).toMatchObject([{ path: '../x\0' }])
  })
})

describe('a manifest of the GDC', () => {
  const head = 'id\tfilename\tmd5\tsize\tstate\n'

  test('names objects of the scheme gdc', async () => {
    expect(
      await rowsOf(`${head}${guid}\ta.bam\t${md5}\t12\treleased\n${other}\tb.bam\t${md5}\t13\tvalidated`),
    ).toMatchObject([
      {
        id: guid,
        uris: [`gdc:${guid}`],
        path: 'a.bam',
        size: 12,
        checksums: [{ value: md5 }],
        extra: { state: 'released' },
      },
      { id: other, uris: [`gdc:${other}`], line: 3 },
    ])
  })

  test('has # for quotes, and so no comments', async () => {
    const rows = await rowsOf(`${head}${guid}\t#a\tb##.bam#\t\t\t\n#${other}#\t"c".bam\t\t\t\n`)
    expect(rows).toMatchObject([{ path: 'a\tb#.bam' }, { id: other, path: '"c".bam' }])
    expect(await rowsOf(`#id#\t#filename#\n#${guid}#\t#x#\n`)).toMatchObject([{ uris: [`gdc:${guid}`], path: 'x' }])
  })

  test('keeps the rows behind one without an id, and behind one that is cut', async () => {
    expect(
      await reasonsOf(`${head}\ta\t\t\t\n${guid}\tb\t\t\t\n${guid}\tc\n../x\td\t\t\t\n${guid}\te\t\t-5\t`),
    ).toEqual(['no_id', 'good', undefined, 'no_id', 'bad_size'])
  })
})

describe('a table with a column of DRS URIs', () => {
  test('takes the usual columns in their order, with the companions of PFB', async () => {
    const head = 'pfb:file_name\tdrs_uri\tpfb:ga4gh_drs_uri\tpfb:file_size\tpfb:file_md5sum\tpfb:sha256\tpfb:case'
    const rows = await rowsOf(
      `${head}\na/b.bam\tdrs://no.org/x\tdrs://yes.org/x\t5\t${md5base64}\t${'ab'.repeat(32)}\tc1\n`,
    )
    expect(rows).toMatchObject([
      {
        id: 'drs://yes.org/x',
        uris: ['drs://yes.org/x'],
        path: 'a/b.bam',
        size: 5,
        checksums: [{ value: md5 }, { algorithm: 'sha256' }],
        extra: { 'pfb:case': 'c1', drs_uri: 'drs://no.org/x' },
      },
    ])
  })

  test.each([
    ['sample,cram_drs_uri,gs_uri\ns1,drs://dg.4503:ID,gs://b/k\n', undefined, { uris: ['drs://dg.4503:ID'] }],
    ['sample,gs_uri\ns1,gs://b/k\n', undefined, { id: undefined, uris: ['gs://b/k'] }],
    ['sample,the_drs\ns1,drs://dg.4503:ID\n', undefined, { uris: ['drs://dg.4503:ID'] }],
    ['sample,where,drs_uri\ns1,drs://one.org/x,drs://two.org/x\n', 'where', { uris: ['drs://one.org/x'] }],
    [`drs_uri\ndrs://one.org/x\n`, undefined, { uris: ['drs://one.org/x'] }],
    [`object_id\n${guid}\n`, undefined, { uris: [`drs:${guid}`] }],
  ])('finds the column in %j', async (text, idColumn, row) => {
    expect(await rowsOf(text, { idColumn })).toMatchObject([row])
  })

  test('separates by what its header has, whatever the file is called', async () => {
    expect(await rowsOf('drs_uri\tfile_name\ndrs://one.org/x\ta,b\n', { name: 'm.csv' })).toMatchObject([
      { path: 'a,b' },
    ])
    expect(await rowsOf('drs_uri,file_name\ndrs://one.org/x,a\n', { name: 'm.tsv' })).toMatchObject([{ path: 'a' }])
  })

  test.each([
    ['a,b\n1,2\n', undefined, 'a column must be called url or urls, got "a,b"'],
    ['drs_uri,b\n1,2\n', 'nope', 'a column must be called nope, got "drs_uri,b"'],
  ])('says in one message that %j has no such column', async (text, idColumn, met) => {
    await expect(rowsOf(text, { idColumn })).rejects.toMatchObject({
      code: 'Usage',
      message: expect.stringContaining(met),
    })
  })

  test('says of a cell that it is no DRS URI', async () => {
    expect(await reasonsOf('drs_uri,x\nhello there,1\n,2\nftp://h/a,3\n')).toEqual(['no_id', 'no_id', 'no_id'])
  })
})

describe('an object manifest of Gen3', () => {
  test.each([
    ['s3://b/k gs://b/k', ['s3://b/k', 'gs://b/k']],
    ["['s3://b/k', 'gs://b/k']", ['s3://b/k', 'gs://b/k']],
    ['"[""s3://b/k k""]"', ['s3://b/k k']],
    ['[s3://b/k]', ['s3://b/k']],
    ['s3://b/k with blanks', ['s3://b/k with blanks']],
    ['[]', []],
    ['', []],
  ])('lists further places: %s', async (cell, urls) => {
    // A cell with commas has to be quoted.
    const quoted = cell.includes(',') && !cell.startsWith('"') ? `"${cell}"` : cell
    expect(await rowsOf(`guid,urls,authz\n${guid},${quoted},/programs/x\n`)).toMatchObject([
      { id: guid, uris: [`drs:${guid}`, ...urls], extra: { authz: '/programs/x' } },
    ])
  })

  test('knows the other names of its columns, and rows that have only places', async () => {
    const rows = await rowsOf(`guid,md5_hash,gs_file_size,s3_path,gs_path\n,${md5},7,s3://b/k,gs://b/k\n,,,,\n`)
    expect(rows).toMatchObject([
      { id: undefined, uris: ['s3://b/k', 'gs://b/k'], size: 7, checksums: [{ value: md5 }] },
      { reason: 'no_id' },
    ])
  })
})

describe('a list of ids', () => {
  test('has one to a line, or several between commas', async () => {
    const text = `# mine\n${guid}\ndg.4503/${guid}, drs://dg.4503:ID ,${other},\n\ndrs://host.org/a,b\nhttps://host.org/ga4gh/drs/v1/objects/x\n`
    expect(await rowsOf(text)).toMatchObject([
      { index: 0, line: 2, id: guid, uris: [`drs:${guid}`] },
      { index: 1, line: 3, uris: [`drs:dg.4503/${guid}`] },
      { index: 2, line: 3, uris: ['drs://dg.4503:ID'] },
      { index: 3, line: 3, uris: [`drs:${other}`] },
      { index: 4, line: 5, uris: ['drs://host.org/a,b'] },
      { index: 5, line: 6, uris: ['drs://host.org/x'] },
    ])
  })

  test('is known by its first line alone', async () => {
    expect(await rowsOf(`${guid},${other}`)).toMatchObject([{ id: guid }, { id: other }])
    expect(await rowsOf(`drs://dg.4503:a,drs://dg.4503:b`)).toHaveLength(2)
  })

  test('may stand among URLs, with options below', async () => {
    const rows = await rowsOf(
      `https://h/a,b\n${guid}\n out=x/y\n checksum=md5=${md5}\n${guid},${other}\n out=z\nhello\n`,
    )
    expect(rows).toMatchObject([
      { uris: ['https://h/a,b'], id: undefined },
      { id: guid, path: 'x/y', checksums: [{ value: md5 }] },
      { error: { message: expect.stringContaining('below one object') } },
      { reason: 'bad_url' },
    ])
  })

  test('takes any word for an id when told that it is one', async () => {
    expect(await rowsOf('314159\nsample-1,sample-2\nhttps://h/a\n', { form: 'ids' })).toMatchObject([
      { id: '314159' },
      { id: 'sample-1' },
      { id: 'sample-2' },
      { uris: ['https://h/a'], id: undefined },
    ])
  })
})

describe('what is no manifest', () => {
  test.each([
    ['<!DOCTYPE html><html><body>Log in</body></html>', 'manifest.json'],
    ['\n  <html lang="en">', 'm.csv'],
    ['<?xml version="1.0"?>\n<!-- x --><!DOCTYPE HTML PUBLIC "-//W3C//DTD">', undefined],
    ['<head><title>403</title>', 'list.txt'],
  ])('is named: %j', async (text, name) => {
    await expect(rowsOf(text, { name })).rejects.toMatchObject({
      code: 'Usage',
      message: expect.stringContaining('a web page'),
    })
  })

  test('a page made to be slow to recognise is not', async () => {
    await expect(rowsOf(`${'<!---->'.repeat(600)}x`)).rejects.toMatchObject({ code: 'Usage' })
  })

  test('one that is cut in the middle is named once', async () => {
    await expect(rowsOf(`[{"guid":"${guid}"},{"guid":"${guid.slice(0, 9)}`)).rejects.toMatchObject({
      message: expect.stringContaining('is the manifest complete?'),
    })
  })
})

import { describe, expect, test } from 'vitest'
import type { Row } from './entry.ts'
import { parseManifest } from './parse-manifest.ts'

const open = '<metalink xmlns="urn:ietf:params:xml:ns:metalink">'

async function gather(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}

async function rowsOf(text: string): Promise<Row[]> {
  const input = (async function* () {
    yield Buffer.from(text)
  })()
  return gather(parseManifest(input, { form: 'metalink' }))
}

describe('a Metalink', () => {
  test('is read as RFC 5854 shows it', async () => {
    const sha = 'f0'.repeat(32)
    const rows = await rowsOf(`<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <published>2009-05-15T12:23:23Z</published>
  <file name="example.ext">
    <size>14471447</size>
    <identity>Example</identity>
    <version>1.0</version>
    <language>en</language>
    <description>A description &amp; more.</description>
    <hash type="sha-256">${sha}</hash>
    <hash type="sha-384">abc</hash>
    <pieces length="1048576" type="sha-1"><hash>d0</hash><hash>d1</hash></pieces>
    <url location="de" priority="2">ftp://ftp.example.com/example.ext</url>
    <url location="fr" priority="1">http://example.com/example.ext</url>
    <url>https://last.example.com/example.ext</url>
    <metaurl mediatype="torrent" priority="2">http://example.com/example.ext.torrent</metaurl>
    <x:y xmlns:x="z">w</x:y>
  </file>
</metalink>`)
    expect(rows).toMatchObject([
      {
        line: 4,
        path: 'example.ext',
        size: 14471447,
        uris: [
          'http://example.com/example.ext',
          'ftp://ftp.example.com/example.ext',
          'https://last.example.com/example.ext',
        ],
        checksums: [{ algorithm: 'sha256', value: sha }],
        version: undefined,
        extra: {
          'metalink-identity': 'Example',
          'metalink-version': '1.0',
          'metalink-language': 'en',
          'metalink-description': 'A description & more.',
        },
      },
    ])
  })

  test('refuses a file without a name, a URL or any hash that it knows, and goes on', async () => {
    const rows = await rowsOf(
      `${open}<file><url>https://h/a</url></file><file name="b"/><file name="c"><hash type="sha-384">ab</hash><url>https://h/c</url></file>` +
        '<file name="d"><url>https://h/d</url></file></metalink>',
    )
    expect(rows).toMatchObject([
      { error: { message: expect.stringContaining('a file must have a name') } },
      { error: { message: expect.stringContaining('must name a url') } },
      { error: { message: expect.stringContaining("got 'sha-384'") } },
      { index: 3, path: 'd' },
    ])
  })

  test('leaves the checking of names to resolveTarget()', async () => {
    expect(await rowsOf(`${open}<file name="../x"><url>https://h/a</url></file></metalink>`)).toMatchObject([
      { path: '../x' },
    ])
  })

  test('refuses a file with endless text in bounded memory', async () => {
    const url = '<url>https://h/a<!-- --></url>'
    const text = `${open}<file name="a">${url.repeat(120_000)}</file><file name="b"><description>${'x<!---->'.repeat(1_200_000)}</description></file></metalink>`
    expect(await rowsOf(text)).toMatchObject([
      { error: { message: expect.stringContaining('at most 1 MiB') } },
      { error: { message: expect.stringContaining('at most 1 MiB') } },
    ])
  })

  test.each([
    ['<!DOCTYPE metalink [<!ENTITY a "b">]>', 'declarations and entities are refused'],
    [`<!DOCTYPE metalink SYSTEM "file:///etc/passwd">${open}</metalink>`, 'declarations and entities are refused'],
    [`${open}<file name="&x;"/></metalink>`, 'predefined'],
    [`${open}<file name="a & b"/></metalink>`, 'predefined'],
    [`${open}<file name="&#0;"/></metalink>`, 'must name a character'],
    [`${open}<file name="&#xd800;"/></metalink>`, 'must name a character'],
    [`${open}<file name="a" name="b"/></metalink>`, 'must not stand twice'],
    [`${open}<file name=a/></metalink>`, 'well-formed'],
    [`${open}<file></metalink>`, 'the element file must be closed first, got </metalink>'],
    [`${open}</metalink></metalink>`, 'the element (none)'],
    [`${open}`, 'metalink must be closed, got the end'],
    [`${open}</metalink><b/>`, 'one root element'],
    [`${open}</metalink>text`, 'text or markup must be complete'],
    [`${open}<file `, 'in the middle'],
    ['<metalink version="3.0" xmlns="http://www.metalinker.org/"/>', 'version 4'],
    ['<a/>', 'version 4'],
    ['<?xml version="1.0" encoding="ISO-8859-1"?><metalink/>', 'UTF-8'],
    [`${open}${'<a>'.repeat(40)}`, '32 deep'],
    ['', 'must have an element'],
    ['text', 'text or markup must be complete'],
  ])('throws for %s', async (text, met) => {
    await expect(rowsOf(text)).rejects.toMatchObject({ code: 'Usage', message: expect.stringContaining(met) })
  })

  test('throws for a tag above 1 MiB and names the line of a fault', async () => {
    await expect(rowsOf(`${open}<file name="${'x'.repeat(2_000_000)}"/></metalink>`)).rejects.toThrow('1 MiB')
    await expect(rowsOf(`${open}\n\n<file name="a"><url>https://h/a</url></file>\n<b></c>`)).rejects.toThrow(
      'from line 4, after 1 rows',
    )
  })
})

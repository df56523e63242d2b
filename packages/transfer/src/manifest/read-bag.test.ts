import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Row } from './entry.ts'
import { parseManifest } from './parse-manifest.ts'
import { readBag } from './read-bag.ts'

const md5 = (letter: string) => letter.repeat(32)
const sha = (letter: string) => letter.repeat(64)

let bag: string
beforeEach(async () => {
  bag = await mkdtemp(join(tmpdir(), 'arriero-bag-'))
})
afterEach(() => rm(bag, { recursive: true }))

async function make(files: Record<string, string>): Promise<void> {
  const all = { 'bagit.txt': 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n', ...files }
  for (const [name, text] of Object.entries(all)) await writeFile(join(bag, name), text)
}

async function gather(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}

describe('readBag()', () => {
  test('gives what is to be fetched, with the digests of all payload manifests, in any order', async () => {
    await make({
      'fetch.txt': 'https://h/a 5 data/a\r\nhttps://h/b\t-\tdata/x y/100%25.txt\n\n',
      'manifest-md5.txt': `${md5('c')}  data/here\n${md5('b')} *data/x y/100%25.txt\n${md5('a')}  data/a\n`,
      'manifest-sha256.txt': `${sha('A')}\tdata/a\n`,
      'manifest-sha3256.txt': 'unknown  data/a\n',
      'tagmanifest-md5.txt': `${md5('f')}  data/a\n`,
    })
    expect(await gather(readBag(bag))).toMatchObject([
      {
        index: 0,
        line: 1,
        uris: ['https://h/a'],
        path: 'data/a',
        size: 5,
        checksums: [
          { algorithm: 'md5', value: md5('a') },
          { algorithm: 'sha256', value: sha('a') },
        ],
      },
      { index: 1, uris: ['https://h/b'], path: 'data/x y/100%.txt', size: undefined, checksums: [{ value: md5('b') }] },
    ])
  })

  test('refuses rows that nothing holds to their content, or that could be meant for two', async () => {
    await make({
      'fetch.txt': [
        'https://h/a 1 data/a',
        'https://h/b 1 data/unlisted',
        'https://h/c 1 data/short',
        'https://h/d 1 data/two',
        'https://h/e 1 data/a',
      ].join('\n'),
      'manifest-md5.txt': `${md5('a')}  data/a\n${md5('a')}0  data/short\n${md5('a')}  data/two\n${md5('b')}  data/two\n`,
    })
    expect(await gather(readBag(bag))).toMatchObject([
      { path: 'data/a' },
      { error: { message: expect.stringContaining('must name its path, got "data/unlisted"') } },
      { error: { message: expect.stringContaining('manifest-md5.txt must have one md5 digest') } },
      { error: { message: expect.stringContaining('manifest-md5.txt must have one md5 digest') } },
      { error: { message: expect.stringContaining('each path once') } },
    ])
  })

  test.each([
    ['data/../x', '".." as a segment', 'bad_name'],
    ['../data/x', 'below data/', 'bad_name'],
    ['/data/x', 'below data/', 'bad_name'],
    ['data/a%0Ab', 'U+000A', 'bad_name'],
    ['data\\x', 'below data/', 'bad_name'],
    ['data/', 'empty segment', 'bad_name'],
  ])('refuses the path %s', async (path, met, reason) => {
    await make({ 'fetch.txt': `https://h/a 1 ${path}\n`, 'manifest-md5.txt': '' })
    expect(await gather(readBag(bag))).toMatchObject([{ reason, error: { message: expect.stringContaining(met) } }])
  })

  test('refuses lines of another form, each alone', async () => {
    await make({
      'fetch.txt': 'https://h/a data/a\nnowhere 1 data/a\nhttps://h/a x data/a\n',
      'manifest-md5.txt': `${md5('a')}  data/a\n`,
    })
    expect(await gather(readBag(bag))).toMatchObject([
      { error: { message: expect.stringContaining('URL, LENGTH and PATH') } },
      { reason: 'bad_url' },
      { reason: 'bad_size', line: 3 },
    ])
  })

  test('has nothing to give for a bag that is complete', async () => {
    await make({ 'manifest-md5.txt': '' })
    expect(await gather(readBag(bag))).toEqual([])
  })

  test.each<[string, Record<string, string>, string]>([
    ['no payload manifest', { 'fetch.txt': 'https://h/a 1 data/a\n' }, 'must hold a payload manifest'],
    ['another file for bagit.txt', { 'bagit.txt': 'hello', 'manifest-md5.txt': '' }, 'must name a BagIt-Version'],
    [
      'another encoding',
      { 'bagit.txt': 'BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-16\n', 'manifest-md5.txt': '' },
      'must be in UTF-8, got UTF-16',
    ],
  ])('refuses a directory with %s', async (_, files, met) => {
    await make(files)
    await expect(gather(readBag(bag))).rejects.toMatchObject({ code: 'Usage', message: expect.stringContaining(met) })
  })

  test('refuses a directory that is no bag, or is not there', async () => {
    await expect(gather(readBag(bag))).rejects.toMatchObject({
      code: 'Usage',
      message: expect.stringContaining('bagit.txt'),
    })
    await expect(gather(readBag(join(bag, 'nope')))).rejects.toMatchObject({ code: 'Usage' })
  })

  test('stops when it is told to', async () => {
    await make({ 'fetch.txt': 'https://h/a 1 data/a\n', 'manifest-md5.txt': '' })
    await expect(gather(readBag(bag, { signal: AbortSignal.abort(new Error('stop')) }))).rejects.toThrow('stop')
  })
})

test('fetch.txt alone is a manifest, known by its name or its lines, without digests', async () => {
  const rowsOf = (text: string, name?: string) =>
    gather(
      parseManifest(
        (async function* () {
          yield Buffer.from(text)
        })(),
        { name },
      ),
    )
  const row = { uris: ['https://h/a'], path: 'data/a b', size: 5, checksums: [] }
  expect(await rowsOf('https://h/a 5 data/a b\n')).toMatchObject([row])
  expect(await rowsOf('s3://h/a 5 data/a b\n', 'bag/fetch.txt')).toMatchObject([{ ...row, uris: ['s3://h/a'] }])
  // A key with blanks is no line of a bag.
  expect(await rowsOf('s3://b/photo 12 of 30.jpg\n')).toMatchObject([{ uris: ['s3://b/photo 12 of 30.jpg'] }])
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Row } from './entry.ts'
import { parseManifest } from './parse-manifest.ts'

async function gather(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}

async function rowsOf(text: string | Buffer, name?: string): Promise<Row[]> {
  const input = (async function* () {
    yield Buffer.from(text as string)
  })()
  return gather(parseManifest(input, { name }))
}

const hex = (bytes: number) => 'a1'.repeat(bytes)

describe('a checksum list', () => {
  test('is what coreutils write, plain, binary and tagged', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'arriero-sums-'))
    try {
      for (const name of ['a b.txt', 'é', 'x(1) = y']) writeFileSync(join(directory, name), '123456789')
      const run = (program: string, ...flags: string[]) =>
        execFileSync(program, [...flags, '--', 'a b.txt', 'x(1) = y', 'é'], { cwd: directory })
      for (const text of [run('md5sum'), run('md5sum', '-b'), run('md5sum', '--tag')]) {
        expect(await rowsOf(text)).toMatchObject(
          ['a b.txt', 'x(1) = y', 'é'].map((path, index) => ({
            index,
            line: index + 1,
            uris: [],
            path,
            checksums: [{ algorithm: 'md5', value: '25f9e794323b453885f5181f1b624d0b' }],
          })),
        )
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('takes the algorithm from the length of the digest', async () => {
    expect(await rowsOf(`${hex(16)}  a\n${hex(20)}  b\n${hex(32)}  c\n${hex(64)}  d`)).toMatchObject(
      ['md5', 'sha1', 'sha256', 'sha512'].map(algorithm => ({ checksums: [{ algorithm }] })),
    )
  })

  test.each([
    ['SHA256SUMS', 'sha256', 32],
    ['manifest-sha512.txt', 'sha512', 64],
    ['/x/data.b3', 'blake3', 32],
    ['run.crc32c', 'crc32c', 4],
  ])('takes the algorithm from the name %s', async (name, algorithm, bytes) => {
    const input = (async function* () {
      yield Buffer.from(`${hex(bytes)}  a`)
    })()
    expect(await gather(parseManifest(input, { name, form: 'checksums' }))).toMatchObject([
      { path: 'a', checksums: [{ algorithm, value: hex(bytes) }] },
    ])
  })

  test('refuses a digest that does not fit the name of the list', async () => {
    expect(await rowsOf(`${hex(16)}  a`, 'SHA256SUMS')).toMatchObject([
      { error: { message: expect.stringContaining('it has the form of md5') } },
    ])
  })

  test('undoes the escapes of coreutils, and refuses the line ends that come out', async () => {
    expect(await rowsOf(`\\${hex(16)}  a\\\\nb\n\\${hex(16)}  a\\nb\n${hex(16)}  a\\nb`)).toMatchObject([
      { path: 'a\\nb' },
      { error: { message: expect.stringContaining('U+000A') } },
      { path: 'a\\nb' },
    ])
  })

  test('refuses other lines and the standard input, and passes over comments', async () => {
    expect(await rowsOf(`# by hand\n\n${hex(16)}  a\nhello\n${hex(16)}  -\n${hex(15)}  b\n`)).toMatchObject([
      { index: 0, line: 3, path: 'a' },
      { line: 4, error: { message: expect.stringContaining('must be DIGEST, two blanks and a name, got "hello"') } },
      { line: 5, error: { message: expect.stringContaining('standard input') } },
      { line: 6, error: { message: expect.stringContaining('32, 40, 64 or 128 hex digits') } },
    ])
  })
})

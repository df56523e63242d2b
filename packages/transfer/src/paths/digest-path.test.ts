import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { digestPath } from './digest-path.ts'
import { pathFunctions } from './path-digests.ts'

let place: string
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'arriero-digest-'))
})
afterEach(() => rm(place, { recursive: true }))

async function put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(place, name)), { recursive: true })
    await writeFile(join(place, name), content)
  }
}

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('digestPath() of a file (librarian 19)', () => {
  test.each([
    ['', '99aa06d3014798d86001c324468d497f'],
    ['abc', '06b05ab6733a618578af5f94892f3950'],
    ['x', '5c7401c0ec22eeeeeaf06c6480b2cd11'],
    ['hello world'.repeat(100), 'fece70bec15fa5d04e440dc8809b1a8c'],
    [Uint8Array.from({ length: 1 << 20 }, (_, index) => index), '1b208d2839093774d36c0e13a3df139e'],
  ])('xxh3 of vector %#', async (content, hex) => {
    await put({ f: content })
    expect(await digestPath(join(place, 'f'))).toEqual({
      kind: 'file',
      size: content.length,
      digests: { xxh3: hex, sha256: sha256(content) },
      sha256: sha256(content),
      manifest: undefined,
    })
  })

  test('every function in one reading', async () => {
    await put({ f: 'hello world'.repeat(100) })
    let read = 0
    const { digests } = await digestPath(join(place, 'f'), {
      functions: pathFunctions,
      onProgress: bytes => {
        read += bytes
      },
    })
    expect(digests).toEqual({
      md5: '3f23fe8690d92e25000fc77ddb0d2f52',
      xxh3: 'fece70bec15fa5d04e440dc8809b1a8c',
      sha1: '63bd507c378dbebd59f77853dea6c4c2c39f7ed7',
      sha256: '68cd07733b3b97926512d4bbe9b660bb5beff0675579833a52e6e059557d57f6',
      sha512: createHash('sha512').update('hello world'.repeat(100)).digest('hex'),
    })
    expect(read).toBe(1100)
  })

  test('large ones, hashed by threads, have the digests of all their bytes in order', async () => {
    const content = testData((40 << 20) + 12_345)
    await put({ big: content })
    const { digests, size } = await digestPath(join(place, 'big'), { functions: ['md5', 'sha1'] })
    expect(size).toBe(content.length)
    expect(digests).toEqual({
      md5: createHash('md5').update(content).digest('hex'),
      sha1: createHash('sha1').update(content).digest('hex'),
      sha256: sha256(content),
    })
  })
})

describe('digestPath() of a tree (librarian 19)', () => {
  test('nothing at all', async () => {
    expect(await digestPath(place)).toEqual({
      kind: 'tree',
      size: 0,
      digests: { xxh3: '99aa06d3014798d86001c324468d497f', sha256: sha256('') },
      sha256: sha256(''),
      manifest: '',
    })
  })

  test('a.txt and sub/b.txt, by each function, with its manifest', async () => {
    await put({ 'a.txt': 'abc', 'sub/b.txt': '' })
    const tree = await digestPath(place, { functions: ['xxh3', 'md5', 'sha256'] })
    expect(tree).toMatchObject({
      kind: 'tree',
      size: 3,
      digests: {
        xxh3: 'e3fec79afcee50e38a726d256499600b',
        md5: '2c69a13837f9865084354f29aea77b1a',
        sha256: '17076dc047c0c18dc1ba5e0310336762a1db0b7daa275b1004887c2cca2c25b0',
      },
      manifest: [
        `{"path":"a.txt","type":"file","size":3,"sha256":"${sha256('abc')}"}`,
        '{"path":"sub","type":"directory"}',
        `{"path":"sub/b.txt","type":"file","size":0,"sha256":"${sha256('')}"}`,
        '',
      ].join('\n'),
    })
    expect(tree.sha256).toBe(sha256(tree.manifest ?? ''))
  })

  test.each([
    [{ 'a.txt': 'abc', 'sub/b.txt': '', '.hid': 'x' }, 4, '69015caeea646520c7200ceb1a7f8368'],
    [{ zzz: 'abc', y: '', q: 'x' }, 4, '69015caeea646520c7200ceb1a7f8368'],
    [{ one: '1\n', 'sub/two': '2\n' }, 4, '55dd64c8933936a08aaa38b3dd4c1a96'],
  ])('vector %#', async (files, size, xxh3) => {
    await put(files as Record<string, string>)
    expect(await digestPath(place)).toMatchObject({ size, digests: { xxh3 } })
  })

  test('what the wire’s digest does not see changes the manifest: names, places, empty directories', async () => {
    await put({ a: 'one', b: 'two' })
    const first = await digestPath(place)
    await rename(join(place, 'a'), join(place, 'c'))
    const renamed = await digestPath(place)
    await mkdir(join(place, 'empty'))
    const grown = await digestPath(place)
    expect(new Set([first, renamed, grown].map(({ digests }) => digests.xxh3)).size).toBe(1)
    expect(new Set([first, renamed, grown].map(({ sha256 }) => sha256)).size).toBe(3)
  })

  test('lines are sorted by the bytes of the path, not by UTF-16', async () => {
    const names = ['\u{1F600}', '\uFF5E', 'a', 'a/b'.replace('/', '-'), 'Z']
    await put(Object.fromEntries(names.map(name => [name, name])))
    const { manifest } = await digestPath(place)
    const paths = manifest!
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).path)
    expect(paths).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    expect(paths).not.toEqual(names.toSorted())
  })

  test('a link to a file is read, one to a directory adds nothing, one to nowhere is an error', async () => {
    await put({ 'in/a.txt': 'abc', 'in/sub/b.txt': '', 'out/dir/c': 'not counted', 'out/b': '' })
    await rm(join(place, 'in/sub/b.txt'))
    await symlink(join(place, 'out/b'), join(place, 'in/sub/b.txt'))
    await symlink(join(place, 'out/dir'), join(place, 'in/linked'))
    expect(await digestPath(join(place, 'in'))).toMatchObject({
      size: 3,
      digests: { xxh3: 'e3fec79afcee50e38a726d256499600b' },
    })
    await symlink(join(place, 'nowhere'), join(place, 'in/broken'))
    await expect(digestPath(join(place, 'in'))).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('thousands of files at once come out whole', async () => {
    await put(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`d${index % 7}/${index}`, `${index}`])))
    const { manifest, size } = await digestPath(place)
    const lines = manifest!
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines).toHaveLength(2007)
    for (const { path, type, sha256: hex } of lines) {
      if (type === 'file') expect(hex).toBe(sha256(path.split('/')[1]))
    }
    expect(size).toBe(lines.reduce((sum, line) => sum + (line.size ?? 0), 0))
  })
})

describe('digestPath() refuses', () => {
  test('links, where it is told to: of the top, of a member', async () => {
    await put({ 'tree/a': 'a' })
    await symlink(join(place, 'tree/a'), join(place, 'link'))
    await expect(digestPath(join(place, 'link'), { links: 'refuse' })).rejects.toMatchObject({ code: 'PathUnsafe' })
    await symlink('a', join(place, 'tree/b'))
    await expect(digestPath(join(place, 'tree'), { links: 'refuse' })).rejects.toMatchObject({ code: 'PathUnsafe' })
  })

  test('a pipe, at once and whatever it is told of links', async () => {
    expect(spawnSync('mkfifo', [join(place, 'pipe')]).status).toBe(0)
    for (const links of ['follow', 'refuse'] as const) {
      await expect(digestPath(join(place, 'pipe'), { links })).rejects.toMatchObject({ code: 'PathUnsafe' })
      await expect(digestPath(place, { links })).rejects.toMatchObject({ code: 'PathUnsafe' })
    }
  })

  test('names that are no UTF-8, which text APIs do not see', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${place}/`), Buffer.from([0x66, 0xff])]), 'x')
    await expect(digestPath(place)).rejects.toMatchObject({ code: 'PathUnsafe' })
  })

  test('what is not there', async () => {
    await expect(digestPath(join(place, 'none'))).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('a file that grows, shrinks or is touched while it is read', async () => {
    const path = join(place, 'big')
    for (const change of [
      () => appendFileSync(path, 'x'),
      () => writeFile(path, 'short'),
      () => utimes(path, 1, 1),
    ] as const) {
      await put({ big: testData(30 << 20) })
      let isDone = false
      const onProgress = () => {
        if (!isDone) void change()
        isDone = true
      }
      await expect(digestPath(path, { onProgress })).rejects.toMatchObject({ code: 'ResourceChanged' })
    }
  })

  test('a tree that gets a member while it is read', async () => {
    await put({ a: testData(3 << 20) })
    const onProgress = () => appendFileSync(join(place, 'late'), 'x')
    await expect(digestPath(place, { onProgress })).rejects.toMatchObject({ code: 'ResourceChanged' })
  })

  test('to go on when it is told to stop', async () => {
    await put({ a: testData(30 << 20) })
    const abort = new AbortController()
    const onProgress = () => abort.abort(new Error('enough'))
    await expect(digestPath(place, { signal: abort.signal, onProgress })).rejects.toThrow('enough')
  })
})

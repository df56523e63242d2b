import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { downloadAll } from './download-all.ts'
import { isListing, type ListOptions, list } from './list.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero list '))
  for (const path of ['a.txt', 'b.nc', 'run1/raw/x.g3', 'run1/cal.g3', 'run2/raw/x.g3', 'odd [1]/*.txt']) {
    const full = join(directory, 'data', path)
    await mkdir(dirname(full), { recursive: true })
    await writeFile(full, `content of ${path}`)
  }
})
afterEach(() => rm(directory, { recursive: true }))

async function pathsOf(uri: string, options?: ListOptions): Promise<string[]> {
  const paths: string[] = []
  for await (const batch of list(uri, options)) paths.push(...batch.map(({ path }) => path))
  return paths.sort()
}

describe('list()', () => {
  test.each([
    ['data/', ['a.txt', 'b.nc', 'odd [1]/*.txt', 'run1/cal.g3', 'run1/raw/x.g3', 'run2/raw/x.g3']],
    ['data', ['a.txt', 'b.nc', 'odd [1]/*.txt', 'run1/cal.g3', 'run1/raw/x.g3', 'run2/raw/x.g3']],
    ['data/a.txt', ['a.txt']],
    ['data/*', ['a.txt', 'b.nc']],
    ['data/run?/raw/*', ['run1/raw/x.g3', 'run2/raw/x.g3']],
    ['data/**/*.g3', ['run1/cal.g3', 'run1/raw/x.g3', 'run2/raw/x.g3']],
    ['data/run1/**', ['cal.g3', 'raw/x.g3']],
    ['data/run*/', ['run1/cal.g3', 'run1/raw/x.g3', 'run2/raw/x.g3']],
    ['data/*.nothing', []],
  ])('%s, as a path and as a URL', async (pattern, wanted) => {
    expect(await pathsOf(join(directory, pattern))).toEqual(wanted)
    expect(await pathsOf(`${pathToFileURL(directory).href}/${pattern}`)).toEqual(wanted)
  })

  test('one level, with its directories', async () => {
    expect(await pathsOf(join(directory, 'data/'), { isRecursive: false })).toEqual([
      'a.txt',
      'b.nc',
      'odd [1]/',
      'run1/',
      'run2/',
    ])
    expect(await pathsOf(join(directory, 'data/run*'), { isRecursive: false })).toEqual(['run1/', 'run2/'])
  })

  test('takes wildcards as characters when asked to, and where they are percent-encoded', async () => {
    expect(await pathsOf(join(directory, 'data/odd [1]/*.txt'), { isLiteral: true })).toEqual(['*.txt'])
    expect(await pathsOf(`${pathToFileURL(join(directory, 'data/odd [1]/*.txt')).href}`)).toEqual(['*.txt'])
  })

  test('rejects with NotFound for what is not there, with Unsupported where nothing lists', async () => {
    await expect(pathsOf(join(directory, 'data/none'))).rejects.toMatchObject({ code: 'NotFound' })
    await expect(pathsOf('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'Unsupported' })
  })

  test('feeds downloadAll(), which lays files out as they lie below', async () => {
    const target = join(directory, 'target')
    const run = downloadAll(list(join(directory, 'data/run*/')), { directory: target })
    for await (const result of run) expect(result).toMatchObject({ ok: true })
    expect((await readdir(target, { recursive: true })).sort()).toEqual(
      ['run1', 'run1/cal.g3', 'run1/raw', 'run1/raw/x.g3', 'run2', 'run2/raw', 'run2/raw/x.g3'].sort(),
    )
    expect(await readFile(join(target, 'run1/raw/x.g3'), 'utf8')).toBe('content of run1/raw/x.g3')
  })
})

test.each([
  ['s3://bucket', true],
  ['s3://bucket/', true],
  ['s3://bucket/key', false],
  ['s3://bucket/2024/*.g3', true],
  ['ftp://[::1]/file', false],
  ['ftp://host/dir/', true],
  ['/plain/path', false],
])('isListing(%s) is %s', (uri, wanted) => expect(isListing(uri)).toBe(wanted))

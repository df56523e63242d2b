import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf, fetchBytes } from '../../test/fetch-bytes.ts'
import { describeListing, listAll } from '../../test/list-suite.ts'
import { contentOf, describeSource, expectSame } from '../../test/source-suite.ts'
import { createFileSource } from './file.ts'

let directory: string
let count = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-file-source-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function make(content: Uint8Array) {
  const path = join(directory, `content ${++count} %41`)
  await writeFile(path, content)
  return {
    source: createFileSource(count % 2 ? path : pathToFileURL(path).href),
    change: (other: Uint8Array) => writeFile(path, other),
    remove: () => rm(path),
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  }
}

describeSource('createFileSource()', { make })

async function makeDirectory(files: ReadonlyMap<string, Uint8Array>) {
  const place = join(directory, `place ${++count} %41`)
  for (const [path, content] of files) {
    await mkdir(dirname(join(place, path)), { recursive: true })
    await writeFile(join(place, path), content)
  }
  const uri = count % 2 ? `${place}/` : `${pathToFileURL(place).href}/`
  return {
    source: createFileSource(uri),
    open: createFileSource,
    [Symbol.asyncDispose]: () => rm(place, { recursive: true }),
  }
}

describeListing('createFileSource()', { make: makeDirectory })

describe('createFileSource()', () => {
  test('lists what symbolic links to files lead to, and enters no directory by one', async () => {
    const place = join(directory, `links ${++count}`)
    await mkdir(join(place, 'real'), { recursive: true })
    await writeFile(join(place, 'real', 'a'), 'content')
    await symlink('real/a', join(place, 'link'))
    await symlink('.', join(place, 'real', 'loop'))
    await symlink('nowhere', join(place, 'broken'))
    const listed = await listAll(createFileSource(`${place}/`), { isRecursive: true })
    expect(listed.map(({ path, size }) => [path, size]).sort()).toEqual([
      ['link', 7],
      ['real/a', 7],
    ])
  })

  test('rejects with ResourceChanged when the file is written to or cut while it is read', async () => {
    for (const disturb of [
      (path: string) => writeFile(path, contentOf(900_000, 2)),
      (path: string) => truncate(path, 5),
    ]) {
      const path = join(directory, `disturbed ${++count}`)
      await writeFile(path, contentOf(900_000))
      let disturbing: Promise<void> | undefined
      const fetching = fetchBytes(createFileSource(path), {
        room: 100_000,
        onAdvance: landing => {
          disturbing ??= disturb(path).then(() => landing.give(1_000_000))
        },
      })
      expect(await failureOf(fetching)).toMatchObject({ code: 'ResourceChanged' })
      await disturbing
    }
  })

  test('refuses directories, FIFOs and unreadable URLs', async () => {
    expect(await failureOf(fetchBytes(createFileSource(directory)))).toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('it is a directory'),
      remedy: expect.stringContaining('ends with /'),
    })
    const fifo = join(directory, 'fifo')
    execFileSync('mkfifo', [fifo])
    expect(await failureOf(fetchBytes(createFileSource(fifo)))).toMatchObject({ code: 'Unsupported' })
    expect(() => createFileSource('file://host/path')).toThrow(/file:\/\/\/path/)
    expect(() => createFileSource('file:///a%zz')).toThrow(/percent-encoded/)
    expect(() => createFileSource('file:a b')).toThrow(
      expect.objectContaining({ remedy: `Write ${pathToFileURL('a b').href}` }),
    )
    expect(() => createFileSource('a\0b')).toThrow(/NUL/)
  })

  test('says how # and % are written in a URL that leads nowhere', async () => {
    for (const name of ['run#1', 'run%411']) {
      await writeFile(join(directory, name), 'x')
      expect(await failureOf(fetchBytes(createFileSource(`file://${directory}/${name}`)))).toMatchObject({
        code: 'NotFound',
        remedy: expect.stringContaining('# is written %23'),
      })
    }
    expect(await failureOf(fetchBytes(createFileSource(`file://${directory}/nothing`)))).toMatchObject({
      remedy: expect.not.stringContaining('%23'),
    })
  })

  test.skipIf(process.getuid?.() === 0)('says Denied when the file may not be read', async () => {
    const path = join(directory, 'secret')
    await writeFile(path, 'x')
    await chmod(path, 0)
    expect(await failureOf(fetchBytes(createFileSource(path)))).toMatchObject({ code: 'Denied' })
  })

  test('reads into shared memory', async () => {
    const path = join(directory, 'shared')
    const content = contentOf(3_000_000)
    await writeFile(path, content)
    const { bytes } = await fetchBytes(createFileSource(path))
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
    expectSame(bytes, content)
  })
})

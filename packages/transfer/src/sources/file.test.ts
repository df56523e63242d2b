import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf, fetchBytes } from '../../test/fetch-bytes.ts'
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

describe('createFileSource()', () => {
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
    expect(await failureOf(fetchBytes(createFileSource(directory)))).toMatchObject({ code: 'Unsupported' })
    const fifo = join(directory, 'fifo')
    execFileSync('mkfifo', [fifo])
    expect(await failureOf(fetchBytes(createFileSource(fifo)))).toMatchObject({ code: 'Unsupported' })
    expect(() => createFileSource('file://host/path')).toThrow(/file:\/\/\/path/)
    expect(() => createFileSource('a\0b')).toThrow(/NUL/)
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

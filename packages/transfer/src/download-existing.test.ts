import { mkdtemp, readdir, readFile, rm, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { download } from './download.ts'
import { createEngine, type Engine } from './engine.ts'
import type { IfExists } from './options.ts'

const content = contentOf(200_000)
const other = contentOf(200_000, 2)

let directory: string
let source: string
let target: string
let engine: Engine
let md5: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-existing-'))
  source = join(directory, 'source')
  target = join(directory, 'target')
  await writeFile(source, content)
  engine = createEngine()
  const { createHash } = await import('node:crypto')
  md5 = `md5:${createHash('md5').update(content).digest('hex')}`
})
afterEach(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

/** How it ends with `there` in the target's place. */
async function outcome(there: Uint8Array | undefined, ifExists: IfExists | undefined, options = {}) {
  if (there) await writeFile(target, there)
  const ended = await download(source, target, { engine, partSize: 65_536, ifExists, ...options }).then(
    ({ status }) => status,
    error => error.code,
  )
  const content = await readFile(target)
  return { ended, content }
}

describe('download() when the target exists', () => {
  test.each(['error', undefined] as const)('%s: refuses, and touches nothing', async ifExists => {
    const { ended, content: after } = await outcome(other, ifExists)
    expect(ended).toBe('Exists')
    expectSame(after, other)
  })

  test.each(['error', 'skip', 'verify'] as const)(
    '%s with a checksum: skips what is the same, refuses what is not',
    async ifExists => {
      expect(await outcome(content, ifExists, { checksums: [md5] })).toMatchObject({ ended: 'skipped' })
      const { ended, content: after } = await outcome(other, ifExists, { checksums: [md5] })
      expect(ended).toBe('Exists')
      expectSame(after, other)
    },
  )

  test('skip without a checksum: only size and time together prove anything', async () => {
    const { mtime } = await stat(source)
    await writeFile(target, content)
    await utimes(target, mtime, mtime)
    expect(await outcome(undefined, 'skip')).toMatchObject({ ended: 'skipped' })
    await utimes(target, 1, 1)
    expect(await outcome(undefined, 'skip')).toMatchObject({ ended: 'Exists' })
    await writeFile(target, content.subarray(1))
    await utimes(target, mtime, mtime)
    expect(await outcome(undefined, 'skip')).toMatchObject({ ended: 'Exists' })
  })

  test('verify without a checksum: reads the source and compares byte by byte', async () => {
    expect(await outcome(content, 'verify')).toMatchObject({ ended: 'skipped' })
    for (const different of [other, content.subarray(1), Buffer.concat([content, content]), new Uint8Array()]) {
      const { ended, content: after } = await outcome(different, 'verify')
      expect(ended).toBe('Exists')
      expectSame(after, different)
    }
  })

  test('overwrite: replaces it', async () => {
    const { ended, content: after } = await outcome(other, 'overwrite')
    expect(ended).toBe('downloaded')
    expectSame(after, content)
  })

  test('overwrite that fails leaves what was there', async () => {
    const { ended, content: after } = await outcome(other, 'overwrite', {
      checksums: ['md5:00000000000000000000000000000000'],
    })
    expect(ended).toBe('ChecksumMismatch')
    expectSame(after, other)
  })

  test('rename: takes the next free number and says which', async () => {
    await writeFile(target, other)
    for (const number of [1, 2]) {
      const { path } = await download(source, target, { engine, ifExists: 'rename' })
      expect(path).toBe(join(directory, `target (${number})`))
      expectSame(await readFile(path), content)
    }
    expectSame(await readFile(target), other)
  })

  test('a result that was skipped says so: nothing fetched, and it is durable', async () => {
    await writeFile(target, content)
    const result = await download(source, target, { engine, checksums: [md5] })
    expect(result).toMatchObject({
      status: 'skipped',
      networkBytes: 0,
      bytes: content.length,
      path: target,
      isDurable: true,
    })
    expect(engine.progress).toMatchObject({ skipped: 1, done: 0, failed: 0 })
    expect(engine.progress.active.size).toBe(0)
  })

  test('a file that is not there is fetched in every mode', async () => {
    for (const ifExists of ['error', 'skip', 'verify', 'overwrite', 'rename'] as const) {
      await rm(target, { force: true })
      expect(await outcome(undefined, ifExists)).toMatchObject({ ended: 'downloaded' })
    }
  })

  test('notices what came and went between two calls that share an engine', async () => {
    expect(await outcome(undefined, 'error')).toMatchObject({ ended: 'downloaded' })
    await unlink(target)
    expect(await outcome(undefined, 'error')).toMatchObject({ ended: 'downloaded' })
    await unlink(target)
    const second = join(directory, 'second')
    await writeFile(second, content)
    expect(await download(source, second, { engine, ifExists: 'verify' })).toMatchObject({ status: 'skipped' })
    await writeFile(second, other)
    await expect(download(source, second, { engine, ifExists: 'verify' })).rejects.toMatchObject({ code: 'Exists' })
  })

  test('a directory or a dangling link in its place is never replaced by accident', async () => {
    await symlink('/nowhere/at/all', target)
    await expect(download(source, target, { engine })).rejects.toMatchObject({ code: 'Exists' })
    await unlink(target)
    expect(await readdir(directory)).not.toContain('target.part')
  })

  test('a directory that is named gets the source’s name, with the same rules', async () => {
    const into = `${join(directory, 'into')}/`
    expect((await download(source, into, { engine })).path).toBe(join(directory, 'into', 'source'))
    await expect(download(source, into, { engine })).rejects.toMatchObject({ code: 'Exists' })
    expect(await download(source, into, { engine, ifExists: 'verify' })).toMatchObject({ status: 'skipped' })
    expect((await download(source, into, { engine, ifExists: 'rename' })).path).toBe(
      join(directory, 'into', 'source (1)'),
    )
    expect(await download(source, into, { engine, checksums: [md5] })).toMatchObject({ status: 'skipped' })
  })
})

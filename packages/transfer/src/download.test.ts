import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { abortable } from './abortable.ts'
import { download } from './download.ts'
import { createEngine } from './engine.ts'
import { TransferError } from './errors.ts'
import type { FetchRequest } from './source.ts'

const KIB = 1024
const MIB = 1024 * KIB
const a = 'memory:/a'
const partSize = 64 * KIB
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

let directory: string
let target: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-download-'))
  target = join(directory, 'target')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Names in the directory; what is being tidied up in the staging directory is none. */
const names = async () =>
  (await readdir(directory, { recursive: true })).filter(name => !name.startsWith('.arriero')).sort()

const sizes = [0, 1, partSize - 1, partSize, partSize + 1, 20 * partSize + 123]
const kinds = [
  ['in parts', {}],
  ['as one stream', { hasRanges: false }],
  ['of unknown size', { hasSize: false, hasRanges: false }],
] as const

describe.each(kinds)('download() of what comes %s', (_, source) => {
  test.each(sizes)('stores all %s bytes, and says so', async size => {
    const content = contentOf(size)
    const { engine } = memoryEngine({ [a]: content }, { source })
    const result = await download(a, target, { engine, partSize, digests: ['md5', 'crc32c'] })
    expect(result).toMatchObject({
      path: target,
      bytes: size,
      status: 'downloaded',
      resumedBytes: 0,
      networkBytes: size,
      isDurable: true,
      retries: 0,
    })
    expectSame(await readFile(target), content)
    expect(await names()).toEqual(['target'])
    expect(engine.slots.reserved).toBe(0)
    expect(engine.limits.inUse).toBe(0)
    expect(engine.progress).toMatchObject({ done: 1, failed: 0, received: size, size })
    expect(engine.progress.active.size).toBe(0)
  })

  test.each([64 * KIB, MIB])('fits into a budget of %s bytes', async memoryBudget => {
    const content = contentOf(5 * MIB + 1)
    const { engine } = memoryEngine({ [a]: content }, { source, memoryBudget })
    await download(a, target, { engine, digests: ['md5'] })
    expectSame(await readFile(target), content)
    expect(engine.slots.reserved).toBe(0)
  })

  test('stores a range only', async () => {
    const content = contentOf(20 * partSize)
    const { engine } = memoryEngine({ [a]: content }, { source })
    const range = { start: 3 * partSize + 5, end: 9 * partSize - 7 }
    const { bytes } = await download(a, target, { engine, partSize, range })
    expect(bytes).toBe(range.end - range.start)
    expectSame(await readFile(target), content.subarray(range.start, range.end))
    const small = await download(a, join(directory, 'small'), { engine, range: { start: 0, end: 3 } })
    expectSame(await readFile(small.path), content.subarray(0, 3))
    // What a run of the whole left is neither used nor in the way.
    await writeFile(`${target}2.part`, 'theirs')
    await download(a, `${target}2`, { engine, partSize, range })
    expect(await names()).toEqual(['small', 'target', 'target2', 'target2.part'])
  })

  test('runs a transform over the ordered bytes; digests are of what was fetched', async () => {
    const content = contentOf(10 * partSize + 3)
    const { engine } = memoryEngine({ [a]: content }, { source })
    async function* inverted(bytes: AsyncIterable<Uint8Array>) {
      for await (const piece of bytes) yield piece.map(byte => byte ^ 0xff)
    }
    const md5 = (await download(a, target, { engine, digests: ['md5'] })).verification.digests.md5 as string
    const other = join(directory, 'inverted')
    const result = await download(a, other, {
      engine,
      partSize,
      hooks: { transform: inverted },
      checksums: [`md5:${md5}`],
    })
    expect(result.verification.proof).toBe('checksum')
    expectSame(
      await readFile(other),
      content.map(byte => byte ^ 0xff),
    )
    expect(await names()).toEqual(['inverted', 'target'])
  })

  test('a transform that fails leaves nothing', async () => {
    const { engine } = memoryEngine({ [a]: contentOf(10 * partSize) }, { source })
    async function* failing(bytes: AsyncIterable<Uint8Array>) {
      for await (const piece of bytes) {
        yield piece
        throw new Error('no good')
      }
    }
    const fetching = download(a, target, { engine, partSize, hooks: { transform: failing } })
    await expect(fetching).rejects.toMatchObject({ code: 'HookFailed' })
    expect(await names()).toEqual([])
    expect(engine.slots.reserved).toBe(0)
  })

  test('a wrong checksum leaves nothing, after it was tried twice', async () => {
    for (const size of [100, 10 * partSize]) {
      const { engine } = memoryEngine({ [a]: contentOf(size) }, { source })
      const fetching = download(a, target, { engine, partSize, checksums: ['md5:00000000000000000000000000000000'] })
      await expect(fetching).rejects.toMatchObject({ code: 'ChecksumMismatch' })
      expect(await names()).toEqual([])
      expect(engine.progress).toMatchObject({ done: 0, failed: 1 })
    }
  })

  test('another size than stated is an error before anything is written', async () => {
    if ('hasSize' in source) return
    const { engine } = memoryEngine({ [a]: contentOf(1000) }, { source })
    await expect(download(a, target, { engine, size: 999 })).rejects.toMatchObject({ code: 'SizeMismatch' })
    expect(await names()).toEqual([])
    await download(a, target, { engine, size: 999, trustServerSize: true })
    expectSame(await readFile(target), contentOf(1000))
  })

  test('stopped by its signal it leaves nothing visible, and the next call of the same process brings it', async () => {
    const content = contentOf(20 * partSize)
    const abort = new AbortController()
    const reason = new Error('Ctrl-C')
    const { engine } = memoryEngine({ [a]: content }, { source })
    let count = 0
    const hooks = {
      onChunk() {
        if (++count === 5) abort.abort(reason)
      },
    }
    await expect(download(a, target, { engine, partSize, hooks, signal: abort.signal })).rejects.toBe(reason)
    expect(await names()).not.toContain('target')
    expect(engine.slots.reserved).toBe(0)
    const { resumedBytes, networkBytes } = await download(a, target, { engine, partSize })
    if (!('hasRanges' in source)) expect(resumedBytes).toBeGreaterThan(0)
    expect(resumedBytes + networkBytes).toBe(content.length)
    expectSame(await readFile(target), content)
    expect(await names()).toEqual(['target'])
  })
})

describe('download()', () => {
  test('counts right beyond 4 GiB, in what is asked for and where it lands', async () => {
    const source = join(directory, 'sparse')
    await writeFile(source, '')
    await truncate(source, 2 ** 32 + 3 * MIB)
    const content = contentOf(3 * MIB, 7)
    const at = 2 ** 32 - MIB
    const handle = await open(source, 'r+')
    await handle.write(content, 0, content.length, at)
    await handle.close()
    await using engine = createEngine()
    for (const range of [
      { start: at, end: at + content.length },
      { start: 2 ** 32 - 1, end: 2 ** 32 + 1 },
      { start: 2 ** 32, end: 2 ** 32 + 9999 },
    ]) {
      const { path, bytes } = await download(source, join(directory, `${range.start}`), {
        engine,
        partSize: 256 * KIB,
        range,
      })
      expect(bytes).toBe(range.end - range.start)
      expectSame(await readFile(path), content.subarray(range.start - at, range.end - at))
    }
  })

  test('makes the directories that are missing, and takes the source’s name in a directory', async () => {
    const source = join(directory, 'source.bin')
    await writeFile(source, contentOf(10 * MIB))
    await using engine = createEngine()
    const deep = join(directory, 'x', 'y', 'z')
    expect((await download(source, join(deep, 'named'), { engine })).path).toBe(join(deep, 'named'))
    expect((await download(source, `${join(directory, 'new')}/`, { engine })).path).toBe(
      join(directory, 'new', 'source.bin'),
    )
    expect((await download(source, deep, { engine })).path).toBe(join(deep, 'source.bin'))
    expectSame(await readFile(join(deep, 'source.bin')), contentOf(10 * MIB))
  })

  test('what is not there is NotFound, without debris', async () => {
    const { engine } = memoryEngine({})
    await expect(download(a, target, { engine })).rejects.toMatchObject({ code: 'NotFound' })
    expect(await names()).toEqual([])
  })

  test('an answer that is shorter than what was asked for is completed, for small files and large ones', async () => {
    for (const size of [5 * partSize, 20 * MIB]) {
      const { engine } = memoryEngine({ [a]: contentOf(size) })
      const { openSources } = engine
      Object.assign(engine, {
        openSources: async (uris: readonly string[], options: object) =>
          (await openSources(uris, options)).map(source => ({
            ...source,
            // At most 100,000 bytes an answer, as a server may.
            fetch: (request: FetchRequest) =>
              source.fetch({
                ...request,
                range: request.range && {
                  ...request.range,
                  end: Math.min(request.range.end, request.range.start + 100_000),
                },
              }),
          })),
      })
      await download(a, `${target}${size}`, { engine })
      expectSame(await readFile(`${target}${size}`), contentOf(size))
    }
  })

  test('parts that fail now and then are fetched again, none twice, none missing', async () => {
    const content = contentOf(60 * partSize)
    const { engine } = memoryEngine(
      { [a]: content },
      {
        onRequest: (_, index) => {
          if (index % 3 === 1) throw new TransferError('Network', 'cut')
        },
      },
    )
    Object.assign(engine, { random: () => 0 })
    const result = await download(a, target, { engine, partSize, digests: ['sha256'] })
    expect(result.retries).toBeGreaterThan(5)
    expect(result.networkBytes).toBe(content.length)
    expectSame(await readFile(target), content)
  })

  test('a failure that cannot be mended leaves what can be resumed', async () => {
    const content = contentOf(20 * partSize)
    let isBroken = true
    let landed = 0
    const { engine, requests } = memoryEngine(
      { [a]: content },
      {
        onRequest: async ({ range, signal }) => {
          if (!isBroken || (range?.start ?? 0) < 10 * partSize) return
          while (landed < 8) await abortable(pause(1), signal)
          throw new TransferError('Disk', 'unreadable')
        },
      },
    )
    const options = { engine, partSize, digests: ['md5'] } as const
    const hooks = { onPartDone: () => void landed++ }
    await expect(download(a, target, { ...options, hooks })).rejects.toMatchObject({ code: 'Disk' })
    expect(await names()).toEqual(['target.part', 'target.part.journal'])
    isBroken = false
    requests.length = 0
    const { resumedBytes } = await download(a, target, options)
    expect(resumedBytes).toBeGreaterThanOrEqual(8 * partSize)
    expect(requests.length).toBeLessThanOrEqual(12)
    expectSame(await readFile(target), content)
  })

  test('what was left is continued with its digest right, though the digest needs order', async () => {
    const content = contentOf(30 * partSize)
    const { engine } = memoryEngine({ [a]: content })
    const abort = new AbortController()
    let count = 0
    const hooks = { onChunk: () => void (++count === 9 && abort.abort(new Error('stop'))) }
    await download(a, target, { engine, partSize, hooks, signal: abort.signal }).catch(() => {})
    const sha = (await download(a, `${target}2`, { engine, digests: ['sha256'] })).verification.digests.sha256 as string
    const result = await download(a, target, { engine, partSize, checksums: [`sha256:${sha}`] })
    expect(result.resumedBytes).toBeGreaterThan(0)
    expect(result.verification.proof).toBe('checksum')
  })

  test('many at once for one name: one wins, the others are told', async () => {
    const { engine } = memoryEngine({ [a]: contentOf(10 * partSize) })
    for (const size of [partSize, 20 * partSize]) {
      const settled = await Promise.allSettled(
        [1, 2, 3].map(() => download(a, `${target}${size}`, { engine, partSize: size })),
      )
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const one of settled) {
        if (one.status === 'rejected') expect(['Locked', 'Exists']).toContain(one.reason.code)
      }
    }
    expect((await names()).length).toBe(2)
  })

  test('a target that is a directory by name, or below a file, is a typed error', async () => {
    const { engine } = memoryEngine({ [a]: contentOf(10) })
    await writeFile(target, '')
    await expect(download(a, join(target, 'x'), { engine })).rejects.toMatchObject({ code: 'Disk' })
    await mkdir(join(directory, 'dir', 'a'), { recursive: true })
    await expect(download(a, join(directory, 'dir'), { engine, ifExists: 'overwrite' })).rejects.toMatchObject({
      code: 'Disk',
    })
  })

  test.each([
    { size: -1 },
    { size: 1.5 },
    { concurrency: 0 },
    { partSize: 0 },
    { range: { start: 5, end: 5 } },
    { range: { start: -1, end: 5 } },
    { checksums: ['md5:zz'] },
  ])('refuses %j', async options => {
    const { engine, requests } = memoryEngine({ [a]: contentOf(10) })
    await expect(download(a, target, { engine, ...options })).rejects.toMatchObject({ code: 'Usage' })
    expect(requests).toEqual([])
  })
})

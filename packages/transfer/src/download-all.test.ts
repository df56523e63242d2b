import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type MemoryEngineOptions, memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { downloadAll } from './download-all.ts'
import type { Entries } from './entries.ts'
import { TransferError } from './errors.ts'
import type { BadRow, Entry } from './manifest/entry.ts'
import type { DownloadAllOptions } from './options.ts'
import type { EntryResult } from './results.ts'

const partSize = 64 * 1024
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-all-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const uriOf = (index: number) => `memory:/f${index}`
const names = async () =>
  (await readdir(directory, { recursive: true })).filter(name => !name.startsWith('.arriero')).sort()

function entry(index: number, rest: Partial<Entry> = {}): Entry {
  return { index, uris: [uriOf(index)], checksums: [], path: `f${index}`, ...rest }
}

/** `count` files, each of its own content and size. */
function many(
  count: number,
  sizeOf: (index: number) => number = index => index * 7,
  options: MemoryEngineOptions = {},
) {
  const contents = Object.fromEntries(
    [...Array(count).keys()].map(index => [uriOf(index), contentOf(sizeOf(index), index + 1)]),
  )
  return { contents, ...memoryEngine(contents, options) }
}

async function collect(entries: Entries, options: DownloadAllOptions) {
  const run = downloadAll(entries, { directory, ...options })
  const results: EntryResult[] = []
  for await (const result of run) results.push(result)
  return { results, summary: await run.summary }
}

const codeOf = (result: EntryResult | undefined) => (!result || result.ok ? 'ok' : (result.error as TransferError).code)

describe('downloadAll()', () => {
  test('brings every entry, each once, and the totals add up', async () => {
    const { engine, contents } = many(300)
    const { results, summary } = await collect(
      [...Array(300).keys()].map(index => entry(index)),
      { engine },
    )
    expect(results.map(({ entry: { index } }) => index).toSorted((a, b) => a - b)).toEqual([...Array(300).keys()])
    for (let index = 0; index < 300; index++)
      expectSame(await readFile(join(directory, `f${index}`)), contents[uriOf(index)]!)
    const bytes = Object.values(contents).reduce((sum, { length }) => sum + length, 0)
    expect(summary).toMatchObject({ files: 300, downloaded: 300, skipped: 0, failed: 0, bytes })
    expect(engine.progress).toMatchObject({
      done: 300,
      failed: 0,
      listed: 300,
      isListed: true,
      received: bytes,
      size: bytes,
    })
    expect(engine.slots.reserved).toBe(0)
    await engine.close()
    expect(await readdir(directory)).toHaveLength(300)
  })

  test('mixes small and large, whatever their sizes are known to be, on a small budget', async () => {
    const sizes = (index: number) => (index % 5 === 0 ? 10 * partSize + index : index)
    for (const source of [{}, { hasRanges: false }, { hasRanges: false, hasSize: false }]) {
      const { engine, contents } = many(40, sizes, { memoryBudget: 8 * partSize, source })
      const path = `${Object.keys(source).length}`
      const entries = [...Array(40).keys()].map(index =>
        entry(index, { path: `${path}/f${index}`, size: index % 2 ? sizes(index) : undefined }),
      )
      const { summary } = await collect(entries, { engine, partSize, digests: ['md5'] })
      expect(summary).toMatchObject({ downloaded: 40, failed: 0 })
      for (let index = 0; index < 40; index++) {
        expectSame(await readFile(join(directory, path, `f${index}`)), contents[uriOf(index)]!)
      }
    }
  })

  test('takes URLs, rows, batches of rows, from arrays and from what comes later', async () => {
    const { engine } = many(4)
    async function* later() {
      yield uriOf(0)
      await pause(5)
      yield [entry(1), entry(2)]
      yield entry(3, { path: undefined })
    }
    const { results } = await collect(later(), { engine })
    expect(results).toHaveLength(4)
    expect(await names()).toEqual(['f0', 'f1', 'f2', 'f3'])
  })

  test('gives results as they complete, or in the order of the list', async () => {
    const entries = [...Array(20).keys()].map(index => entry(index))
    // The first file is answered only when all others are there.
    const firstIsLast = () => {
      const made = many(20, () => 10, {
        onRequest: async (_: unknown, index: number) => {
          while (index === 0 && made.engine.progress.done < 19) await pause(5)
        },
      })
      return made.engine
    }
    const completed = await collect(entries, { engine: firstIsLast(), order: 'manifest' })
    expect(completed.results.at(-1)?.entry.index).toBe(0)
    const ordered = await collect(
      entries.map(one => ({ ...one, path: `o${one.index}` })),
      { engine: firstIsLast(), order: 'manifest', resultOrder: 'manifest' },
    )
    expect(ordered.results.map(({ entry: { index } }) => index)).toEqual([...Array(20).keys()])
  })

  test('begins in the order asked for', async () => {
    const entries = [30, 10, 20].map((size, index) => entry(index, { size, path: `${9 - index}` }))
    for (const [order, expected] of [
      ['size', [1, 2, 0]],
      ['name', [2, 1, 0]],
      ['manifest', [0, 1, 2]],
    ] as const) {
      const asked: number[] = []
      const { engine } = many(3, index => [30, 10, 20][index]!)
      const hooks = { onPlan: ({ uri }: { uri: string }) => void asked.push(Number(uri.at(-1))) }
      await collect([entries], { engine, order, transfers: 1, hooks, ifExists: 'overwrite' })
      expect(asked).toEqual(expected)
    }
  })

  test('a failure of one never stops the others, and each says why', async () => {
    const { engine } = many(3)
    const bad: BadRow = { index: 3, line: 9, error: new TransferError('Usage', 'not a row') }
    const { results, summary } = await collect(
      [
        entry(0),
        bad,
        entry(1, { uris: ['memory:/none'] }),
        entry(2),
        entry(4, { uris: [] }),
        entry(5, { size: 1, uris: [uriOf(2)] }),
      ],
      { engine, resultOrder: 'manifest' },
    )
    expect(Object.fromEntries(results.map(result => [result.entry.index, codeOf(result)]))).toEqual({
      0: 'ok',
      1: 'NotFound',
      2: 'ok',
      3: 'Usage',
      4: 'Usage',
      5: 'SizeMismatch',
    })
    expect(results.find(({ entry: { index } }) => index === 3)?.entry.line).toBe(9)
    expect(summary).toMatchObject({ files: 6, downloaded: 2, failed: 4, skipped: 0 })
    expect(engine.progress).toMatchObject({ done: 2, failed: 4 })
  })

  test('refuses names that lead outside, however they are written', async () => {
    await mkdir(join(directory, 'inside'))
    const outside = await mkdtemp(join(tmpdir(), 'arriero-outside-'))
    await symlink(outside, join(directory, 'link'))
    const { engine } = many(1)
    const paths = ['../x', '/etc/x', 'a/../../x', 'C:\\x', '..', 'link/x', 'link/', 'a//b', '~/x', 'nul', 'a\0b']
    const entries = paths.map((path, index) => entry(index, { path, uris: [uriOf(0)] }))
    const { results } = await collect(entries, { engine })
    expect(results.map(codeOf)).toEqual(paths.map(() => 'PathUnsafe'))
    expect(await readdir(outside)).toEqual([])
    expect(await names()).toEqual(['inside', 'link'])
    await rm(outside, { recursive: true })
  })

  test('a path that ends with a slash is a directory for the source’s own name', async () => {
    const { engine } = many(2)
    const { results } = await collect([entry(0, { path: 'sub/deep/' }), entry(1, { path: 'sub/deep/f9' })], { engine })
    expect(results.map(codeOf)).toEqual(['ok', 'ok'])
    expect(await names()).toEqual(['sub', 'sub/deep', 'sub/deep/f0', 'sub/deep/f9'])
  })

  test('two entries with one target: one is fetched, the other is told which', async () => {
    for (const [one, other] of [
      ['same', 'same'],
      ['Case', 'cASE'],
      ['dir', 'dir/file'],
    ] as const) {
      const { engine } = many(2, () => 10)
      const path = `${one}-${other.length}`
      const { results } = await collect(
        [entry(0, { path: `${path}/${one}` }), entry(1, { path: `${path}/${other}` })],
        { engine },
      )
      expect(results.map(codeOf).toSorted()).toEqual(['Usage', 'ok'])
    }
    const { engine } = memoryEngine({ 'memory:/x/f': contentOf(5), 'memory:/y/f': contentOf(5) })
    const { results } = await collect(['memory:/x/f', 'memory:/y/f'], { engine })
    expect(results.map(codeOf).toSorted()).toEqual(['Usage', 'ok'])
  })

  test('an entry is not in its own way when it is fetched a second time', async () => {
    const { engine } = many(1, () => 100)
    const checksums = [{ algorithm: 'md5', value: '0'.repeat(32) } as const]
    const { results } = await collect([entry(0, { path: undefined, checksums })], { engine })
    expect(codeOf(results[0])).toBe('ChecksumMismatch')
  })

  test('continueAfterError false begins nothing more after a failure, and ends well', async () => {
    const { engine, requests } = many(50, () => 10)
    const entries = [...Array(50).keys()].map(index =>
      index === 3 ? entry(3, { uris: ['memory:/none'] }) : entry(index),
    )
    const { results, summary } = await collect(entries, {
      engine,
      continueAfterError: false,
      resultOrder: 'manifest',
      transfers: 1,
      order: 'manifest',
    })
    expect(results.map(codeOf)).toEqual(['ok', 'ok', 'ok', 'NotFound'])
    expect(requests.length).toBeLessThan(10)
    expect(summary).toMatchObject({ downloaded: 3, failed: 1 })
  })

  test('leaving early stops everything at once, gives memory back, and the summary tells what was done', async () => {
    const { engine, active } = many(200, () => 20_000, { onRequest: () => pause(25) })
    const run = downloadAll(
      [...Array(200).keys()].map(index => entry(index)),
      { directory, engine, transfers: 4 },
    )
    let count = 0
    for await (const result of run) if (result.ok && ++count === 5) break
    expect(active()).toBe(0)
    expect(engine.slots.reserved).toBe(0)
    const { downloaded } = await run.summary
    expect(downloaded).toBeGreaterThanOrEqual(5)
    expect(downloaded).toBeLessThan(200)
    const partial = (await names()).filter(name => name.includes('.part'))
    expect(partial).toEqual([])
  })

  test('the signal stops everything: the iteration and the summary end with its reason', async () => {
    // Slow enough that the first group commit finds most files still to be begun.
    const { engine, active } = many(200, () => 20_000, { onRequest: () => pause(50) })
    const abort = new AbortController()
    const reason = new Error('Ctrl-C')
    const run = downloadAll(
      [...Array(200).keys()].map(index => entry(index)),
      { directory, engine, signal: abort.signal },
    )
    let count = 0
    const all = (async () => {
      for await (const result of run) if (result.ok && ++count === 5) abort.abort(reason)
    })()
    await expect(all).rejects.toBe(reason)
    await expect(run.summary).rejects.toBe(reason)
    expect(active()).toBe(0)
    expect(engine.slots.reserved).toBe(0)
  })

  test('leaving early or aborting does not wait for a list that does not come', async () => {
    let isLeft = false
    async function* stalled() {
      try {
        yield entry(0)
        await new Promise(() => {})
      } finally {
        isLeft = true
      }
    }
    const { engine } = many(1)
    for await (const result of downloadAll(stalled(), { directory, engine })) if (result.ok) break
    const abort = new AbortController()
    const run = downloadAll(stalled(), { directory, engine, signal: abort.signal, ifExists: 'overwrite' })
    const iterator = run[Symbol.asyncIterator]()
    await iterator.next()
    setTimeout(() => abort.abort(new Error('enough')), 5)
    await expect(iterator.next()).rejects.toThrow('enough')
    // A generator that waits cannot be ended; one that does not wait is.
    expect(isLeft).toBe(false)
  })

  test('a list that breaks off fails the run, after what was begun', async () => {
    async function* broken() {
      yield entry(0)
      await pause(20)
      throw new TransferError('Usage', 'line 2 is no row')
    }
    const { engine } = many(1)
    const run = downloadAll(broken(), { directory, engine })
    const seen: EntryResult[] = []
    const all = (async () => {
      for await (const result of run) seen.push(result)
    })()
    await expect(all).rejects.toMatchObject({ code: 'Usage' })
    await expect(run.summary).rejects.toMatchObject({ code: 'Usage' })
    expect(seen).toHaveLength(1)
  })
})

describe('downloadAll() and its hooks', () => {
  test('onFile skips, renames, prefers and fails entries', async () => {
    const { engine } = many(5, () => 10)
    const hooks = {
      onFile({ path }: { readonly path: string | undefined }) {
        if (path === 'f0') return 'skip' as const
        if (path === 'f1') return { rename: 'renamed' }
        if (path === 'f2') throw new Error('no good')
        if (path === 'f3') return { rename: '../outside' }
        return 'keep' as const
      },
      onDone: (told: unknown) => void done.push(told),
    }
    const done: unknown[] = []
    const entries = [...Array(5).keys()].map(index => entry(index))
    const { results, summary } = await collect(entries, { engine, hooks, resultOrder: 'manifest' })
    expect(results.map(result => [result.entry.index, codeOf(result)])).toEqual([
      [1, 'ok'],
      [2, 'HookFailed'],
      [3, 'PathUnsafe'],
      [4, 'ok'],
    ])
    expect(await names()).toEqual(['f4', 'renamed'])
    expect(summary).toMatchObject({ files: 5, downloaded: 2, skipped: 1, failed: 2 })
    expect(done).toEqual([{ files: 5, failed: 2, bytes: 20 }])
  })

  test('results in the order of the list never hold up a run, though one is skipped and thousands wait', async () => {
    const { engine } = many(1, () => 10)
    const error = new TransferError('Usage', 'not a row')
    const bad = [...Array(9000).keys()].map((index): BadRow => ({ index: index + 1, error }))
    const rows = [entry(0), ...bad, entry(9001, { path: 'last', uris: [uriOf(0)] })]
    const hooks = {
      onFile: ({ path }: { readonly path: string | undefined }) => (path === 'f0' ? ('skip' as const) : undefined),
    }
    const { results } = await collect([rows], { engine, hooks, resultOrder: 'manifest' })
    expect(results.map(({ entry: { index } }) => index)).toEqual([...Array(9001).keys()].map(index => index + 1))
  })

  test('results in the order of the list never hold up a run, though the first entry is begun last', async () => {
    const { engine } = many(2, () => 10)
    const error = new TransferError('Usage', 'not a row')
    const bad = [...Array(9000).keys()].map((index): BadRow => ({ index: index + 1, error }))
    const rows = [entry(0, { size: 10 }), ...bad]
    const { results } = await collect([rows], { engine, resultOrder: 'manifest' })
    expect(results).toHaveLength(9001)
    expect(results[0]).toMatchObject({ ok: true, entry: { index: 0 } })
  })

  test('reads no further ahead than it was told', async () => {
    let read = 0
    const { engine, requests } = many(1, () => 10, { onRequest: () => pause(50) })
    async function* endless() {
      for (let index = 0; index < 1000; index++) {
        read++
        yield entry(index, { uris: [uriOf(0)] })
      }
    }
    const run = downloadAll(endless(), { directory, engine, maxBacklog: 5, transfers: 2 })
    for await (const _ of run) {
      expect(read - requests.length).toBeLessThanOrEqual(5 + 2 + 1)
      break
    }
  })

  test('finds what is there already, also when it is run again', async () => {
    const { engine, contents } = many(10, () => 50)
    await writeFile(join(directory, 'f3'), contents[uriOf(3)]!)
    await writeFile(join(directory, 'f4'), 'other')
    const entries = [...Array(10).keys()].map(index => entry(index))
    const first = await collect(entries, { engine, ifExists: 'verify', resultOrder: 'manifest' })
    expect(first.summary).toMatchObject({ downloaded: 8, skipped: 1, failed: 1 })
    expect(codeOf(first.results[4])).toBe('Exists')
    const again = await collect(entries, { engine, ifExists: 'verify' })
    expect(again.summary).toMatchObject({ downloaded: 0, skipped: 9, failed: 1 })
  })
})

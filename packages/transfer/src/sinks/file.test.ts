import { link, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { type FileSinks, fileSinks, type SinkOptions } from '../../test/file-sinks.ts'
import { describeSink, resourceOf, verified, writeAll } from '../../test/sink-suite.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { TransferError } from '../errors.ts'
import { planParts } from '../plan.ts'
import type { FileSink } from './file.ts'

const PART = 64 * 1024

for (const [name, smallLimit] of [
  ['of files that are published in groups', 1 << 20],
  ['of larger files', 0],
  ['of a file that is small and comes in several chunks', 8 << 20],
] as const) {
  describeSink(`createFileSink() ${name}`, {
    // A small file comes as one chunk, unless it does not.
    part: smallLimit === 1 << 20 ? 1 << 20 : PART,
    make: async () => {
      const sinks = await fileSinks()
      return {
        slots: sinks.slots,
        sink: sinks.sink('target', { smallLimit: smallLimit === 1 << 20 ? 32 << 20 : smallLimit }),
        bytesOf: ({ path }: { readonly path: string }) => readFile(path),
        visible: () => readFile(sinks.path('target')).catch(() => undefined),
        traces: () => sinks.names(),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  })
}

const content = contentOf(10 * PART + 5)
const parts = planParts(content.length, PART)

/** Everything up to the commit. */
async function filled(sinks: FileSinks, sink: FileSink): Promise<FileSink> {
  await sink.prepare()
  await sink.open(resourceOf(content.length, { lastModified: 1_000_000_000_000 }), { isResumed: false })
  await writeAll(sink, content, parts, sinks.slots)
  return sink
}

async function store(sinks: FileSinks, name: string, options: SinkOptions = {}): Promise<string> {
  const sink = await filled(sinks, sinks.sink(name, options))
  return (await sink.commit(verified(content.length))).path
}

describe('createFileSink()', () => {
  test('makes missing directories', async () => {
    const sinks = await fileSinks()
    expectSame(await readFile(await store(sinks, 'new/deep/target')), content)
    expectSame(await readFile(await store(sinks, 'other/deep/small', { smallLimit: 32 << 20 })), content)
  })

  test.each([0, 32 << 20])(
    'never replaces what appeared meanwhile, and leaves no debris (small up to %s)',
    async smallLimit => {
      const sinks = await fileSinks()
      const sink = await filled(sinks, sinks.sink('target', { smallLimit }))
      await writeFile(sinks.path('target'), 'mine')
      const failure = await sink.commit(verified(content.length)).catch(error => error)
      expect(failure).toMatchObject({ code: 'Exists' })
      await sink.abort(failure)
      expect(await readFile(sinks.path('target'), 'utf8')).toBe('mine')
      expect(await sinks.names()).toEqual(['target'])
    },
  )

  test.each([0, 32 << 20])('overwrites, numbers, keeps the time, as asked (small up to %s)', async smallLimit => {
    const sinks = await fileSinks()
    await writeFile(sinks.path('a.txt'), 'old')
    expect(await store(sinks, 'a.txt', { smallLimit, ifExists: 'rename' })).toBe(sinks.path('a (1).txt'))
    expect(await readFile(sinks.path('a.txt'), 'utf8')).toBe('old')
    expect(await store(sinks, 'a.txt', { smallLimit, ifExists: 'overwrite', preserveTime: true })).toBe(
      sinks.path('a.txt'),
    )
    expectSame(await readFile(sinks.path('a.txt')), content)
    expect((await stat(sinks.path('a.txt'))).mtimeMs).toBe(1_000_000_000_000)
    expect(await store(sinks, 'b', { smallLimit, durability: 'none' })).toBe(sinks.path('b'))
    expect(await sinks.names()).toEqual(['a (1).txt', 'a.txt', 'b'])
  })

  test('a target that is a directory is a typed error without debris', async () => {
    const sinks = await fileSinks()
    await mkdir(sinks.path('target'))
    const sink = await filled(sinks, sinks.sink('target', { ifExists: 'overwrite' }))
    const failure = await sink.commit(verified(content.length)).catch(error => error)
    expect(failure).toBeInstanceOf(TransferError)
  })

  test('without resume leaves nothing, whatever the reason', async () => {
    const sinks = await fileSinks()
    const sink = await filled(sinks, sinks.sink('target', { resume: false }))
    expect(await sinks.names()).toEqual(['target.part'])
    await sink.abort(new TransferError('Network', 'cut'))
    expect(await sinks.names()).toEqual([])
  })

  test('two sinks for one target: the second one is Locked', async () => {
    const sinks = await fileSinks()
    const first = await filled(sinks, sinks.sink('target'))
    await expect(sinks.sink('target').prepare()).rejects.toMatchObject({ code: 'Locked' })
    // Also one that looked before the first one had begun.
    await first.abort(new TransferError('ChecksumMismatch', ''))
    const [a, b] = [sinks.sink('target'), sinks.sink('target')]
    await Promise.all([a.prepare(), b.prepare()])
    const opened = await Promise.allSettled([a, b].map(sink => sink.open(resourceOf(5), { isResumed: false })))
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(opened.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'Locked' } })
    for (const sink of [a, b]) await sink.abort(undefined)
    expect(await sinks.names()).toEqual([])
  })

  test('somebody else’s NAME.part is neither read nor written nor removed', async () => {
    const sinks = await fileSinks()
    await writeFile(sinks.path('target.part'), 'theirs')
    expectSame(await readFile(await store(sinks, 'target')), content)
    expect(await readFile(sinks.path('target.part'), 'utf8')).toBe('theirs')
    const sink = await filled(sinks, sinks.sink('other'))
    await sink.abort(new TransferError('Network', 'cut'))
    expect(await sinks.names()).toEqual(['other.part', 'other.part.journal', 'target', 'target.part'])
  })

  test('what was published and not tidied is cleaned up and never written into', async () => {
    for (const name of ['target', 'target (1)']) {
      const sinks = await fileSinks()
      const sink = await filled(sinks, sinks.sink('target'))
      await sink.abort(new TransferError('Network', 'cut'))
      // Killed right after its name was given.
      await link(sinks.path('target.part'), sinks.path(name))
      const next = sinks.sink('target', { ifExists: 'overwrite' })
      expect(await next.prepare()).toBeUndefined()
      await next.open(resourceOf(content.length, { etag: { value: 'v2', isWeak: false } }), { isResumed: false })
      const other = contentOf(content.length, 2)
      await writeAll(next, other, parts, sinks.slots)
      expectSame(await readFile(sinks.path(name)), content)
      await next.commit(verified(content.length))
      if (name !== 'target') expectSame(await readFile(sinks.path(name)), content)
      expectSame(await readFile(sinks.path('target')), other)
      expect(await sinks.names()).toEqual([...new Set(['target', name])])
    }
  })
})

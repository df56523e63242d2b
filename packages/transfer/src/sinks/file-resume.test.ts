import { execFileSync } from 'node:child_process'
import { appendFile, open, readFile, truncate, utimes, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FileSinks, fileSinks, type SinkOptions } from '../../test/file-sinks.ts'
import { resourceOf, verified, writeAll } from '../../test/sink-suite.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { TransferError } from '../errors.ts'
import { parseJournal } from '../journal.ts'
import { gaps, planParts, total } from '../plan.ts'
import type { Resource } from '../resource.ts'

const PART = 64 * 1024
const content = contentOf(10 * PART + 5)
const parts = planParts(content.length, PART)
const cut = new TransferError('Network', 'cut')
const resource = resourceOf(content.length)

/** A run that stopped after some parts. */
async function leave(sinks: FileSinks, indexes: readonly number[], options: SinkOptions = {}, of = resource) {
  const sink = sinks.sink('target', options)
  await sink.prepare()
  await sink.open(of, { isResumed: false })
  const ranges = indexes.map(index => parts[index]!)
  await writeAll(sink, content, ranges, sinks.slots)
  await sink.abort(cut)
}

/** What a later run finds. */
async function found(sinks: FileSinks, options: SinkOptions = {}) {
  const sink = sinks.sink('target', options)
  const earlier = await sink.prepare()
  await sink.abort(cut)
  return earlier
}

/** A later run, to its end: fetches what is missing. */
async function goOn(sinks: FileSinks, options: SinkOptions = {}, of: Resource = resource) {
  const sink = sinks.sink('target', options)
  const earlier = await sink.prepare()
  expect(earlier?.whyNot(of)).toBeUndefined()
  await sink.open(of, { isResumed: earlier !== undefined })
  const missing = gaps({ start: 0, end: content.length }, earlier?.ranges ?? [])
  const back = new Uint8Array(PART)
  for (const { start, end } of earlier?.ranges ?? []) {
    await sink.readBack(start, back.subarray(0, end - start))
    expectSame(back.subarray(0, end - start), content.subarray(start, end))
  }
  await writeAll(sink, content, missing, sinks.slots)
  await sink.commit(verified(content.length))
  expectSame(await readFile(sinks.path('target')), content)
  expect(await sinks.names()).toEqual(['target'])
  return { fetched: total(missing), resumed: sink.resumedBytes }
}

describe('createFileSink() after an interrupted run', () => {
  test('goes on with exactly what was written, whichever parts those were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...parts.keys()], { minLength: 1 }), async indexes => {
        const sinks = await fileSinks()
        await leave(sinks, indexes)
        const written = total(indexes.map(index => parts[index]!))
        expect(await goOn(sinks)).toEqual({ fetched: content.length - written, resumed: written })
      }),
      { numRuns: 15 },
    )
  })

  test('goes on through several interruptions', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [1, 3])
    for (const index of [5, 0]) {
      const sink = sinks.sink('target')
      const earlier = await sink.prepare()
      await sink.open(resource, { isResumed: true })
      await writeAll(sink, content, [parts[index]!], sinks.slots)
      await sink.abort(cut)
      expect(earlier).toBeDefined()
    }
    expect((await found(sinks))?.ranges.map(({ start }) => start / PART)).toEqual([0, 1, 3, 5])
    expect((await goOn(sinks)).resumed).toBe(4 * PART)
  })

  test('keeps whole pages of what landed and was not to be completed, and the end of the file', async () => {
    const sinks = await fileSinks()
    const sink = sinks.sink('target')
    await sink.prepare()
    await sink.open(resource, { isResumed: false })
    const keep = async (start: number, end: number) => {
      const slot = await sinks.slots.reserve(end - start)
      slot.bytes.set(content.subarray(start, end))
      await sink.keep?.({ offset: start, bytes: slot.bytes, slot })
      slot.release()
    }
    await keep(0, 100)
    await keep(PART, PART + 2 * 4096 + 100)
    await keep(10 * PART, content.length)
    await sink.abort(cut)
    expect(sink.kept).toBe('resumable')
    expect((await found(sinks))?.ranges).toEqual([
      { start: PART, end: PART + 2 * 4096 },
      { start: 10 * PART, end: content.length },
    ])
    expect((await goOn(sinks)).resumed).toBe(2 * 4096 + 5)
  })

  test.skipIf(process.platform === 'win32')('a FIFO in the place of a journal is an error, not a wait', async () => {
    const sinks = await fileSinks()
    execFileSync('mkfifo', [sinks.path('target.part.journal')])
    await expect(found(sinks)).rejects.toMatchObject({ code: 'Disk' })
  })

  test('a run that ends before the answer leaves what there was', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0, 1])
    for (const reason of [cut, new TransferError('NotFound', ''), new Error('Ctrl-C')]) {
      const sink = sinks.sink('target')
      await sink.prepare()
      await sink.abort(reason)
    }
    expect((await goOn(sinks)).resumed).toBe(2 * PART)
  })

  test('a block that changed on the disk is fetched again', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0, 1, 2, 10])
    const part = await open(sinks.path('target.part'), 'r+')
    await part.write(Uint8Array.of(content[PART + 17]! ^ 1), 0, 1, PART + 17)
    await part.close()
    expect((await found(sinks))?.ranges.map(({ start }) => start / PART)).toEqual([0, 2, 10])
    expect((await goOn(sinks)).resumed).toBe(2 * PART + 5)
  })

  test('blocks behind the end of a file that was cut are fetched again', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0, 1, 2])
    await truncate(sinks.path('target.part'), 2 * PART + 100)
    expect((await found(sinks))?.ranges.map(({ start }) => start / PART)).toEqual([0, 1])
    await goOn(sinks)
  })

  test('a journal that is torn anywhere costs what it lost, never a byte', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0, 1, 2, 3])
    const journal = await readFile(sinks.path('target.part.journal'))
    const part = await readFile(sinks.path('target.part'))
    await fc.assert(
      fc.asyncProperty(fc.nat(journal.length), async length => {
        await writeFile(sinks.path('target.part'), part)
        await writeFile(sinks.path('target.part.journal'), journal.subarray(0, length))
        const known = parseJournal(journal.subarray(0, length).toString())
        // Without its last line nobody said that the owner is done: this very process lives.
        if (known && !known.isLeft) return void (await expect(found(sinks)).rejects.toMatchObject({ code: 'Locked' }))
        expect((await found(sinks))?.ranges.length).toBe(known?.blocks.length)
      }),
      { numRuns: 40 },
    )
  })

  test('rubbish at the end of a journal is ignored, and what is appended later is not lost behind it', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0])
    await appendFile(sinks.path('target.part.journal'), 'block 65536 65')
    await leaveMore(sinks, 4)
    await leaveMore(sinks, 6)
    expect((await found(sinks))?.ranges.map(({ start }) => start / PART)).toEqual([0, 4, 6])
  })

  test.each(['all', 'sample'] as const)('resumeVerify %s finds a damaged first block', async resumeVerify => {
    const sinks = await fileSinks()
    await leave(sinks, [...parts.keys()])
    const part = await open(sinks.path('target.part'), 'r+')
    await part.write(Uint8Array.of(content[0]! ^ 1), 0, 1, 0)
    await part.close()
    expect((await found(sinks, { resumeVerify }))?.ranges.length).toBe(10)
    expect((await found(sinks, { resumeVerify: 'none' }))?.ranges.length).toBe(11)
  })

  test('another URL’s bytes are gone on with only when a checksum will tell', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0])
    expect(await found(sinks, { uriHash: 'other', checksums: ['sha256:00'] })).toBeDefined()
    expect(await found(sinks, { uriHash: 'other' })).toBeUndefined()
  })

  test('what was joined on the word of a checksum alone is not gone on with without one (D1)', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0, 1])
    const other = resourceOf(content.length, { etag: { value: 'v2', isWeak: false } })
    const checksums = ['sha256:00']
    const sink = sinks.sink('target', { checksums })
    expect((await sink.prepare())?.whyNot(other)).toBeUndefined()
    await sink.open(other, { isResumed: true })
    await writeAll(sink, content, [parts[2]!], sinks.slots)
    await sink.abort(cut)
    const third = await found(sinks)
    expect(third?.whyNot(other)).toMatch(/nothing that proves/)
    expect((await found(sinks, { checksums }))?.whyNot(other)).toBeUndefined()
  })

  test('another version is begun anew', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0, 1])
    const other = resourceOf(content.length, { etag: { value: 'v2', isWeak: false } })
    const sink = sinks.sink('target')
    expect((await sink.prepare())?.whyNot(other)).toMatch(/entity tag/)
    await sink.abort(new TransferError('ResourceChanged', ''))
    expect(await sinks.names()).toEqual([])
  })

  test('a file that fits into one part now clears away what was left', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0])
    const sink = sinks.sink('target', { smallLimit: 1 << 20 })
    await sink.prepare()
    await sink.open(resourceOf(5), { isResumed: false })
    await writeAll(sink, content.subarray(0, 5), [{ start: 0, end: 5 }], sinks.slots)
    await sink.commit(verified(5))
    expect(await sinks.names()).toEqual(['target'])
  })

  test('a stale claim is no obstacle, a fresh one of nobody we know is', async () => {
    const sinks = await fileSinks()
    await leave(sinks, [0])
    await writeFile(sinks.path('target.part.claim'), '')
    const old = new Date(Date.now() - 120_000)
    await utimes(sinks.path('target.part.claim'), old, old)
    expect((await found(sinks))?.ranges).toHaveLength(1)
    await writeFile(sinks.path('target.part.claim'), 'somebody')
    const outcome = await found(sinks).catch(error => error.code)
    expect([undefined, 'Locked']).toContain(outcome)
  })

  async function leaveMore(sinks: FileSinks, index: number) {
    const sink = sinks.sink('target')
    await sink.prepare()
    await sink.open(resource, { isResumed: true })
    await writeAll(sink, content, [parts[index]!], sinks.slots)
    await sink.abort(cut)
  }
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryEngine } from '../test/memory-engine.ts'
import { contentOf, expectSame } from '../test/source-suite.ts'
import { TransferError } from './errors.ts'
import { consume, iterate, iterateUnordered, readAll } from './iterate.ts'

const KIB = 1024
const MIB = 1024 * KIB
const a = 'memory:/a'
const b = 'memory:/b'
const turn = () => new Promise(resolve => setImmediate(resolve))
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece.slice())
  return Buffer.concat(all)
}

const partSize = 64 * KIB
const sizes = [0, 1, partSize - 1, partSize, partSize + 1, 20 * partSize + 123]
const kinds = [
  ['in parts', {}],
  ['as one stream', { hasRanges: false }],
  ['of unknown size', { hasSize: false, hasRanges: false }],
] as const

describe.each(kinds)('a resource that comes %s', (_, source) => {
  test.each(sizes)('readAll() gives all %s bytes', async size => {
    const content = contentOf(size)
    const { engine } = memoryEngine({ [a]: content }, { source })
    expectSame(await readAll(a, { engine, partSize }), content)
    expect(engine.slots.reserved).toBe(0)
  })

  test.each(sizes)('iterate() gives all %s bytes in order', async size => {
    const content = contentOf(size)
    const { engine } = memoryEngine({ [a]: content }, { source })
    expectSame(await drain(iterate(a, { engine, partSize })), content)
    expect(engine.slots.reserved).toBe(0)
  })

  test.each(sizes)('iterateUnordered() gives each of %s bytes once, at its place, numbered by parts', async size => {
    const content = contentOf(size)
    const { engine } = memoryEngine({ [a]: content }, { source })
    const bytes = new Uint8Array(size)
    const seen = new Set<number>()
    let count = 0
    for await (const { index, offset, data } of iterateUnordered(a, { engine, partSize })) {
      expect(index).toBe(offset / partSize)
      expect(seen.has(index)).toBe(false)
      seen.add(index)
      count += data.length
      bytes.set(data, offset)
    }
    expect(count).toBe(size)
    expectSame(bytes, content)
    expect(engine.slots.reserved).toBe(0)
  })

  test('consume() calls in order, one at a time, and waits for what is returned', async () => {
    const content = contentOf(10 * partSize + 5)
    const { engine } = memoryEngine({ [a]: content }, { source })
    let position = 0
    let busy = 0
    const { verification } = await consume(
      a,
      async ({ offset, bytes }) => {
        expect(++busy).toBe(1)
        expect(offset).toBe(position)
        expectSame(bytes, content.subarray(offset, offset + bytes.length))
        await turn()
        position += bytes.length
        busy--
      },
      { engine, partSize },
    )
    expect(position).toBe(content.length)
    expect(verification.size).toBe(content.length)
  })

  test('a range is all that comes', async () => {
    const content = contentOf(5 * partSize)
    const { engine } = memoryEngine({ [a]: content }, { source })
    for (const [start, end] of [
      [0, 1],
      [partSize - 1, 3 * partSize + 1],
      [4 * partSize, 9 * partSize],
      [5, 6],
    ] as const) {
      const range = { start, end }
      expectSame(await readAll(a, { engine, partSize, range }), content.subarray(start, end))
      expectSame(await drain(iterate(a, { engine, partSize, range })), content.subarray(start, end))
    }
  })

  test('leaving early cancels everything at once and gives all memory back', async () => {
    const { engine, active } = memoryEngine({ [a]: contentOf(4 * MIB) }, { source })
    for await (const piece of iterate(a, { engine, partSize })) if (piece.length > 0) break
    expect(active()).toBe(0)
    expect(engine.slots.reserved).toBe(0)
    expect(engine.limits.inUse).toBe(0)
    for await (const piece of iterateUnordered(a, { engine, partSize })) if (piece) break
    expect(active()).toBe(0)
    expect(engine.slots.reserved).toBe(0)
  })

  test('a slow consumer with a tiny budget gets everything, within the budget', async () => {
    const content = contentOf(2 * MIB + 77)
    const { engine } = memoryEngine({ [a]: content }, { source, memoryBudget: 64 * KIB })
    let at = 0
    for await (const piece of iterate(a, { engine })) {
      expectSame(piece, content.subarray(at, at + piece.length))
      at += piece.length
      expect(engine.slots.reserved).toBeLessThanOrEqual(64 * KIB)
      if (at % 7 === 0) await pause(1)
    }
    expect(at).toBe(content.length)
    const unordered = new Uint8Array(content.length)
    for await (const { offset, data } of iterateUnordered(a, { engine })) unordered.set(data, offset)
    expectSame(unordered, content)
  })

  test('does not read ahead of the consumer by more than it was told', async () => {
    const { engine } = memoryEngine({ [a]: contentOf(40 * partSize) }, { source })
    const pieces = iterate(a, { engine, partSize, readAhead: 3 * partSize })
    await pieces.next()
    await pause(50)
    expect(engine.slots.reserved).toBeLessThanOrEqual(4 * partSize)
    expectSame(await drain(pieces), contentOf(40 * partSize).subarray(partSize))
  })

  test('many readers of one engine, begun together and consumed one after the other, all come to their end', async () => {
    const content = contentOf(40 * partSize + 3)
    const { engine } = memoryEngine({ [a]: content, [b]: content }, { source, memoryBudget: 16 * partSize })
    // A stream holds its connection for as long as it is read: there are four to begin with.
    const readers = [...Array('hasRanges' in source ? 4 : 6).keys()].map(index =>
      iterate(index % 2 ? a : b, { engine, partSize }),
    )
    const firsts = await Promise.all(readers.map(async reader => (await reader.next()).value?.slice() as Uint8Array))
    for (const [index, reader] of readers.entries()) {
      expectSame(Buffer.concat([firsts[index] as Uint8Array, await drain(reader)]), content)
    }
    expect(engine.slots.reserved).toBe(0)
  })

  test('a budget that fits one: the second reader has its turn when the first is done', async () => {
    const content = contentOf(5 * partSize)
    const { engine } = memoryEngine({ [a]: content, [b]: content }, { source, memoryBudget: partSize })
    const [first, second] = [iterate(a, { engine, partSize }), iterate(b, { engine, partSize })]
    expectSame(await drain(first), content)
    expectSame(await drain(second), content)
  })

  test('files and an idle reader share a small budget without waiting for each other', async () => {
    const content = contentOf(20 * partSize)
    const { engine } = memoryEngine({ [a]: content, [b]: content }, { source, memoryBudget: 16 * partSize })
    const idle = iterate(a, { engine, partSize })
    await idle.next()
    await Promise.all([...Array(8).keys()].map(async () => expectSame(await readAll(b, { engine, partSize }), content)))
    await idle.return()
  })
})

describe('iterate()', () => {
  test('a wrong checksum makes the last step throw, after all bytes, and nothing is delivered twice', async () => {
    const content = contentOf(3 * partSize)
    const { engine } = memoryEngine({ [a]: content })
    const checksums = ['md5:00000000000000000000000000000000']
    for (const bytes of [
      (async function* () {
        for await (const { data } of iterateUnordered(a, { engine, partSize, checksums })) yield data
      })(),
      iterate(a, { engine, partSize, checksums }),
    ]) {
      let count = 0
      const failing = (async () => {
        for await (const piece of bytes) count += piece.length
      })()
      await expect(failing).rejects.toMatchObject({ code: 'ChecksumMismatch' })
      expect(count).toBe(content.length)
    }
  })

  test('a view is valid until the next step, a copy for ever', async () => {
    const content = contentOf(10 * partSize)
    const { engine } = memoryEngine({ [a]: content }, { memoryBudget: 4 * partSize })
    const copies: Uint8Array[] = []
    for await (const piece of iterate(a, { engine, partSize, copy: true })) copies.push(piece)
    expectSame(Buffer.concat(copies), content)
  })

  test('comes ascending in whatever order parts arrive', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { minLength: 24, maxLength: 24 }), async delays => {
        const content = contentOf(24 * 4 * KIB)
        const { engine } = memoryEngine(
          { [a]: content },
          {
            onRequest: async (_, index) => {
              for (let turns = delays[index] ?? 0; turns > 0; turns--) await pause(1)
            },
          },
        )
        expectSame(await drain(iterate(a, { engine, partSize: 4 * KIB, concurrency: 6 })), content)
        expect(engine.slots.reserved).toBe(0)
      }),
      { numRuns: 15 },
    )
  })

  test('the signal ends it, with its reason', async () => {
    const { engine } = memoryEngine({ [a]: contentOf(40 * partSize) })
    const abort = new AbortController()
    const reason = new Error('enough')
    const pieces = iterate(a, { engine, partSize, signal: abort.signal })
    await pieces.next()
    abort.abort(reason)
    await expect(pieces.next()).rejects.toBe(reason)
    expect(engine.slots.reserved).toBe(0)
    await expect(drain(iterate(a, { engine, signal: abort.signal }))).rejects.toBe(reason)
  })

  test('an iteration that was never begun asks for nothing', async () => {
    const { engine, requests } = memoryEngine({ [a]: contentOf(10) })
    await iterate(a, { engine }).return()
    await turn()
    expect(requests).toEqual([])
  })
})

describe('readAll()', () => {
  test('refuses what is larger than it may', async () => {
    const { engine } = memoryEngine({ [a]: contentOf(1001) })
    await expect(readAll(a, { engine, maxMemoryBytes: 1000 })).rejects.toMatchObject({ code: 'Usage' })
    expectSame(await readAll(a, { engine, maxMemoryBytes: 1001 }), contentOf(1001))
  })

  test('a wrong digest is fetched once more from scratch, and then fails', async () => {
    const { engine, requests } = memoryEngine({ [a]: contentOf(100) })
    const failing = readAll(a, { engine, checksums: ['md5:00000000000000000000000000000000'] })
    await expect(failing).rejects.toMatchObject({ code: 'ChecksumMismatch' })
    expect(requests).toHaveLength(2)
  })

  test('a failing part ends everything, though chunks wait for it to be hashed', async () => {
    const content = contentOf(8 * partSize)
    const { engine } = memoryEngine(
      { [a]: content },
      {
        onRequest: async ({ range }) => {
          if (range?.start !== partSize) return
          await pause(30)
          throw new TransferError('NotFound', 'gone')
        },
      },
    )
    const failing = readAll(a, { engine, partSize, digests: ['md5', 'sha256'], concurrency: 8 })
    await expect(failing).rejects.toMatchObject({ code: 'NotFound' })
    expect(engine.slots.reserved).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'
import { describeSink, resourceOf, verified, writeAll } from '../../test/sink-suite.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { TransferError } from '../errors.ts'
import { planParts } from '../plan.ts'
import type { Sink } from '../sink.ts'
import { Slots } from '../slots.ts'
import { createMemorySink } from './memory.ts'
import { transforming } from './transform.ts'

type Transform = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

const slots = new Slots({ budget: 4 << 20 })
const content = contentOf(300_000)
const parts = planParts(content.length, 40_000)

async function* identity(bytes: AsyncIterable<Uint8Array>) {
  for await (const piece of bytes) yield piece
}

function memorySink() {
  return createMemorySink({ maxBytes: 8 << 20 })
}

async function through(transform: Transform, target: Sink<Uint8Array> = memorySink()): Promise<Uint8Array> {
  const sink = transforming(transform, target)
  await sink.prepare()
  await sink.open(resourceOf(content.length), { isResumed: false })
  await writeAll(sink, content, parts, slots)
  return sink.commit(verified(content.length))
}

describeSink('transforming() with a pass that changes nothing', {
  make: async () => {
    let result: Uint8Array | undefined
    const target = memorySink()
    const sink = transforming(identity, {
      ...target,
      async commit(verification) {
        result = await target.commit(verification)
        return result
      },
    })
    return {
      sink,
      bytesOf: bytes => bytes,
      visible: () => result,
      traces: () => [],
      [Symbol.asyncDispose]: async () => {},
    }
  },
})

describe('transforming()', () => {
  test('writes what the pass makes: more, less, or in other pieces', async () => {
    const doubled = await through(async function* (bytes) {
      for await (const piece of bytes) {
        yield piece.slice()
        yield piece.slice()
      }
    })
    expect(doubled.length).toBe(2 * content.length)
    expectSame(doubled.subarray(40_000, 80_000), content.subarray(0, 40_000))
    const nothing = await through(async function* (bytes) {
      for await (const _ of bytes);
      yield* []
    })
    expect(nothing.length).toBe(0)
    const trailer = await through(async function* (bytes) {
      yield* bytes
      yield Uint8Array.of(1, 2, 3)
    })
    expectSame(trailer.subarray(content.length), Uint8Array.of(1, 2, 3))
  })

  test('a pass that ends early has what it wanted: the rest is fetched and verified all the same', async () => {
    const head = await through(async function* (bytes) {
      for await (const piece of bytes) {
        yield piece.slice(0, 10)
        return
      }
    })
    expectSame(head, content.subarray(0, 10))
  })

  test('tells the target neither the size nor checksums of what was fetched', async () => {
    const target = memorySink()
    let seen: unknown
    const sink = transforming(identity, {
      ...target,
      open: (resource, options) => {
        seen = resource
        return target.open(resource, options)
      },
    })
    const checksums = [{ algorithm: 'md5', value: '00', origin: 'test', coverage: 'full' }] as never
    await sink.open(resourceOf(5, { checksums }), { isResumed: false })
    expect(seen).toMatchObject({ size: undefined, checksums: [] })
    await sink.abort(undefined)
  })

  test('a pass that throws fails the write with HookFailed, whenever it throws', async () => {
    for (const pass of [
      // biome-ignore lint/correctness/useYield: it never comes to that
      async function* (): AsyncGenerator<Uint8Array> {
        throw new Error('no good')
      },
      async function* (bytes: AsyncIterable<Uint8Array>) {
        for await (const piece of bytes) {
          yield piece
          throw new Error('no good')
        }
      },
      async function* (bytes: AsyncIterable<Uint8Array>) {
        yield* bytes
        throw new Error('no good')
      },
    ]) {
      await expect(through(pass)).rejects.toMatchObject({ code: 'HookFailed', cause: { message: 'no good' } })
    }
  })

  test('a target that fails tells its own reason', async () => {
    const full = new TransferError('NoSpace', 'the disk is full')
    const target: Sink<Uint8Array> = { ...memorySink(), write: () => Promise.reject(full) }
    await expect(through(identity, target)).rejects.toBe(full)
    let count = 0
    const later: Sink<Uint8Array> = {
      ...memorySink(),
      write: () => (++count > 3 ? Promise.reject(full) : undefined),
    }
    await expect(through(identity, later)).rejects.toBe(full)
  })

  test('abort ends the pass, also one that waits for bytes, and then the target', async () => {
    const reason = new Error('enough')
    const order: string[] = []
    const target: Sink<Uint8Array> = {
      ...memorySink(),
      abort: async () => {
        order.push('target')
      },
    }
    const sink = transforming(async function* (bytes) {
      try {
        yield* bytes
      } finally {
        order.push('pass')
      }
    }, target)
    await sink.open(resourceOf(content.length), { isResumed: false })
    await writeAll(sink, content, parts.slice(0, 2), slots)
    await sink.abort(reason)
    expect(order).toEqual(['pass', 'target'])
    expect(slots.reserved).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'
import { describeSink, resourceOf, verified, writeAll } from '../../test/sink-suite.ts'
import { contentOf, expectSame } from '../../test/source-suite.ts'
import { Slots } from '../slots.ts'
import { createMemorySink } from './memory.ts'

describeSink('createMemorySink()', {
  make: async () => {
    let result: Uint8Array | undefined
    const sink = createMemorySink({ maxBytes: 1 << 20 })
    return {
      sink: {
        ...sink,
        async commit(verification) {
          result = await sink.commit(verification)
          return result
        },
      },
      bytesOf: bytes => bytes,
      visible: () => result,
      traces: () => [],
      [Symbol.asyncDispose]: async () => {},
    }
  },
})

describe('createMemorySink()', () => {
  test('refuses what is larger than it may, before anything was written', () => {
    const sink = createMemorySink({ maxBytes: 100 })
    expect(() => sink.open(resourceOf(101), { isResumed: false })).toThrow(/limit is 100/)
    expect(() => sink.open(resourceOf(100), { isResumed: false })).not.toThrow()
  })

  test('refuses what turns out to be larger than it may', async () => {
    const slots = new Slots({ budget: 1 << 20 })
    const sink = createMemorySink({ maxBytes: 100 })
    await sink.open(resourceOf(undefined), { isResumed: false })
    await writeAll(sink, contentOf(100), [{ start: 0, end: 100 }], slots)
    await expect(writeAll(sink, contentOf(101), [{ start: 100, end: 101 }], slots)).rejects.toMatchObject({
      code: 'Usage',
    })
    expectSame(await sink.commit(verified(100)), contentOf(100))
  })
})

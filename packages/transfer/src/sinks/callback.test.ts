import { describe, expect, test } from 'vitest'
import { describeSink, resourceOf } from '../../test/sink-suite.ts'
import { createCallbackSink } from './callback.ts'

for (const order of ['any', 'ascending'] as const) {
  describeSink(`createCallbackSink() in order ${order}`, {
    make: async content => {
      const bytes = new Uint8Array(content.length)
      let position = 0
      const sink = createCallbackSink({
        order,
        onChunk: ({ offset, bytes: chunk }) => {
          if (order === 'ascending') expect(offset).toBe(position)
          position += chunk.length
          bytes.set(chunk, offset)
          return undefined
        },
      })
      return {
        sink,
        bytesOf: () => bytes,
        visible: () => undefined,
        traces: () => [],
        [Symbol.asyncDispose]: async () => {},
      }
    },
    cannot: { hidden: 'what the caller does with the bytes is the caller’s' },
  })
}

describe('createCallbackSink()', () => {
  test('tells of the resource before any chunk', () => {
    const told: unknown[] = []
    const sink = createCallbackSink({
      order: 'any',
      onResource: ({ size }) => told.push(size),
      onChunk: () => undefined,
    })
    sink.open(resourceOf(7), { isResumed: false })
    expect(told).toEqual([7])
  })
})

import type { Chunk, Sink } from '../sink.ts'
import type { Slot } from '../slots.ts'
import { Channel } from './channel.ts'

/**
 * A sink that hands its bytes, in order, to a function of the caller and writes what comes out to another sink. Digests
 * are of what was fetched; the size of what is written is known only at the end.
 */
export function transforming<Result>(
  transform: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  target: Sink<Result>,
): Sink<Result> {
  const channel = new Channel()
  let writing: Promise<number> | undefined
  const write = async () => {
    let offset = 0
    for await (const bytes of transform(channel.bytes())) {
      await target.write({ offset, bytes, slot: noSlot })
      offset += bytes.length
    }
    return offset
  }
  return {
    capabilities: { order: 'ascending' },
    prepare: async () => undefined,
    async open(resource) {
      await target.open({ ...resource, size: undefined, checksums: [] }, { isResumed: false })
      writing = write()
      writing.catch(error => channel.fail(error))
    },
    write: (chunk: Chunk) => channel.send(chunk.bytes),
    async commit(verification) {
      channel.end()
      const size = (await writing) ?? 0
      return target.commit({ ...verification, size })
    },
    async abort(reason) {
      channel.fail(reason)
      await writing?.catch(() => {})
      await target.abort(reason)
    },
  }
}

/** What a transform makes lies in no slot. */
const noSlot: Slot = {
  address: 0,
  length: 0,
  bytes: new Uint8Array(0),
  isShared: false,
  retain: () => {},
  release: () => {},
  trim: () => {},
}

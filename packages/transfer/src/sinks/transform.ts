import { TransferError } from '../errors.ts'
import type { Chunk, Sink } from '../sink.ts'
import type { Slot } from '../slots.ts'
import { Channel } from './channel.ts'

/**
 * A sink that hands its bytes, in order, to a function of the caller and writes what comes out to another sink. Digests
 * are of what was fetched; the size of what is written is known only at the end. A function that ends early has what it
 * wanted: the rest is fetched, verified and not written.
 */
export function transforming<Result>(
  transform: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  target: Sink<Result>,
): Sink<Result> {
  const channel = new Channel()
  let writing: Promise<number> | undefined
  let reason: unknown
  const write = async () => {
    let offset = 0
    for await (const bytes of passed()) {
      await target.write({ offset, bytes, slot: noSlot })
      offset += bytes.length
    }
    return offset
  }
  /** What the function makes; its own failures by their name, unlike those of the target. */
  async function* passed(): AsyncGenerator<Uint8Array> {
    try {
      yield* transform(channel.bytes())
    } catch (error) {
      if (error === reason || error instanceof TransferError) throw error
      const message = error instanceof Error ? error.message : String(error)
      throw new TransferError('HookFailed', `The hook transform failed: ${message}`, { cause: error })
    }
  }
  return {
    capabilities: { order: 'ascending' },
    async prepare() {
      // What an earlier run left of the target is cleared away, never gone on with.
      await target.prepare()
      return undefined
    },
    async open(resource) {
      await target.open({ ...resource, size: undefined, checksums: [] }, { isResumed: false })
      writing = write()
      writing.catch(error => channel.fail(error))
    },
    // When nobody receives any more, it is the writing that knows why.
    write: (chunk: Chunk) => channel.send(chunk.bytes).catch(async () => void (await writing)),
    async commit(verification) {
      channel.end()
      const size = (await writing) ?? 0
      return target.commit({ ...verification, size })
    },
    async abort(why) {
      reason = why
      channel.fail(why)
      await writing?.catch(() => {})
      await target.abort(why)
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

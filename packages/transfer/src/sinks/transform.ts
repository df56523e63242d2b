import { hookFailed } from '../hooks/failure.ts'
import type { FileHooks } from '../hooks/file-hooks.ts'
import { Leash } from '../hooks/leash.ts'
import type { Transform } from '../hooks.ts'
import type { Chunk, Sink } from '../sink.ts'
import type { Slot } from '../slots.ts'
import { Channel } from './channel.ts'

/**
 * A sink that hands its bytes, in order, to a function of the caller and writes what comes out to another sink. Digests
 * are of what was fetched; the size of what is written is known only at the end. A function that ends early has what it
 * wanted: the rest is fetched, verified and not written.
 */
export function transforming<Result>(transform: Transform, target: Sink<Result>, signal?: AbortSignal): Sink<Result> {
  const channel = new Channel()
  /** Cut when the function is left alone: who hands it bytes waits no longer. */
  const leash = new Leash()
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
      throw error === reason || signal?.aborted ? error : hookFailed('transform', error)
    }
  }
  /** Waits until the function is done with the bytes. One that is left with them keeps their memory as long as it wants. */
  const lend = async ({ bytes, slot }: Chunk) => {
    let isBack = false
    const sent = channel.send(bytes).finally(() => {
      isBack = true
    })
    try {
      await leash.wait(sent)
    } catch {
      if (!isBack) {
        slot.retain()
        sent.catch(() => {}).finally(() => slot.release())
      }
      // When nobody receives any more, it is the writing that knows why.
      await writing
    }
  }
  return {
    capabilities: { ...target.capabilities, order: 'ascending' },
    async prepare() {
      // What an earlier run left of the target is cleared away, never gone on with.
      await target.prepare()
      return undefined
    },
    async open(resource) {
      await target.open({ ...resource, size: undefined, checksums: [] }, { isResumed: false })
      writing = write()
      writing.catch(error => {
        channel.fail(error)
        leash.cut(error)
      })
    },
    write: lend,
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

/** The same sink, with the passes of the hooks before it if there are any. */
export function transformed<Result>(
  sink: Sink<Result>,
  hooks: FileHooks | undefined,
  signal: AbortSignal,
): Sink<Result> {
  const transform = hooks?.transform()
  return transform ? transforming(transform, sink, signal) : sink
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

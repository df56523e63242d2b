import type { Resource } from '../resource.ts'
import type { Chunk, Sink } from '../sink.ts'

export interface CallbackSinkOptions {
  readonly order: 'any' | 'ascending'
  onResource?(resource: Resource): void
  /** The bytes are valid until the promise resolves; returning one is back-pressure. */
  onChunk(chunk: Chunk): Promise<void> | undefined
}

/** Bytes go to a function. They are trustworthy only when the fetch has ended well. */
export function createCallbackSink({ order, onResource, onChunk }: CallbackSinkOptions): Sink<void> {
  return {
    capabilities: { order, isSeen: true },
    prepare: async () => undefined,
    open(resource) {
      onResource?.(resource)
      return undefined
    },
    write: onChunk,
    commit: async () => {},
    abort: async () => {},
  }
}

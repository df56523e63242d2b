import { TransferError } from '../errors.ts'
import type { Resource } from '../resource.ts'
import type { Chunk, Sink } from '../sink.ts'

export interface MemorySinkOptions {
  /** Refuse more bytes than this. */
  readonly maxBytes: number
}

/** The whole content in one buffer, handed out only when it is verified. The twin of the file sink. */
export function createMemorySink({ maxBytes }: MemorySinkOptions): Sink<Uint8Array> {
  let content = new Uint8Array(0)
  let size = 0
  const hold = (needed: number) => {
    if (needed > maxBytes) {
      const message = `Cannot read ${needed} bytes into memory: the limit is ${maxBytes}`
      throw new TransferError('Usage', message, { retriable: false })
    }
    if (needed <= content.length) return
    const larger = new Uint8Array(Math.min(maxBytes, Math.max(needed, content.length * 2)))
    larger.set(content)
    content = larger
  }
  return {
    capabilities: { order: 'any' },
    prepare: async () => undefined,
    open(resource: Resource) {
      if (resource.size !== undefined) hold(resource.size)
      return undefined
    },
    write({ offset, bytes }: Chunk) {
      hold(offset + bytes.length)
      content.set(bytes, offset)
      size = Math.max(size, offset + bytes.length)
      return undefined
    },
    commit: async () => content.subarray(0, size),
    async abort() {
      content = new Uint8Array(0)
    },
  }
}

import { TransferError } from '../errors.ts'
import type { Resource } from '../resource.ts'
import type { Chunk, Sink } from '../sink.ts'

export interface MemorySinkOptions {
  /** Refuse more bytes than this. */
  readonly maxBytes: number
  /** In shared memory, which threads read where it is. Default false. */
  readonly isShared?: boolean | undefined
}

/** The whole content in one buffer, handed out only when it is verified. The twin of the file sink. */
export function createMemorySink({ maxBytes, isShared = false }: MemorySinkOptions): Sink<Uint8Array> {
  const allocate = (length: number): Uint8Array =>
    new Uint8Array(isShared ? new SharedArrayBuffer(length) : new ArrayBuffer(length))
  let content = allocate(0)
  let size = 0
  const hold = (needed: number) => {
    if (needed > maxBytes) {
      const message = `Cannot read ${needed} bytes into memory: the limit is ${maxBytes}`
      throw new TransferError('Usage', message, { retriable: false })
    }
    if (needed <= content.length) return
    const larger = allocate(Math.min(maxBytes, Math.max(needed, content.length * 2)))
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
      content = allocate(0)
    },
  }
}

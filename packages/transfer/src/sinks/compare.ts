import { type FileHandle, open } from 'node:fs/promises'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import type { Resource } from '../resource.ts'
import type { Chunk, Sink } from '../sink.ts'

/** Compares what arrives with a file that is there; writes nothing. Fails with Exists at the first difference. */
export function createCompareSink(path: string): Sink<{ readonly path: string }> {
  let handle: FileHandle | undefined
  const close = async () => {
    await handle?.close()
    handle = undefined
  }
  const different = (what: string) =>
    new TransferError('Exists', `Cannot write ${path}: it exists already and is another file (${what})`, { file: path })

  return {
    capabilities: { order: 'any' },
    prepare: async () => undefined,
    async open({ size }: Resource) {
      handle = await open(path, 'r').catch(error => {
        throw diskError(error, 'read', path)
      })
      const there = (await handle.stat()).size
      if (size !== undefined && size !== there) throw different(`${there} bytes instead of ${size}`)
    },
    async write({ offset, bytes }: Chunk) {
      const there = Buffer.allocUnsafe(bytes.length)
      const { bytesRead } = (await handle?.read(there, 0, there.length, offset)) ?? { bytesRead: 0 }
      if (bytesRead !== bytes.length || there.compare(bytes) !== 0) throw different(`at byte ${offset} or later`)
    },
    async commit({ size }) {
      const there = (await handle?.stat())?.size
      await close()
      if (there !== size) throw different(`${there} bytes instead of ${size}`)
      return { path }
    },
    abort: close,
  }
}

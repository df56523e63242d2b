import type { OpenFile } from './store.ts'

/** A file that lies in memory. */
export function openBytes(bytes: Uint8Array, fingerprint: string, path: string): OpenFile {
  return {
    size: bytes.length,
    fingerprint,
    fd: undefined,
    async *read(start, end, { signal } = {}) {
      if (end > bytes.length)
        throw new RangeError(`Cannot read ${path}: it must have ${end} bytes, it has ${bytes.length}`)
      for (let at = start; at < end; at += 2 ** 20) {
        signal?.throwIfAborted()
        yield bytes.slice(at, Math.min(end, at + 2 ** 20))
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

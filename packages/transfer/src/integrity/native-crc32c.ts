import { createRequire } from 'node:module'

/** CRC32C of `bytes`, continuing from the CRC of what came before. */
export type Crc32c = (bytes: Uint8Array, before?: number) => number

/**
 * The optional native CRC32C (7 GiB/s; the WebAssembly one makes 1.7), or undefined where it is not installed.
 * Native code that computes something else would turn every good file into a bad one, so it has to show the check
 * value first, over shared memory and continued, as it will be used.
 */
export function loadNativeCrc32c(): Crc32c | undefined {
  try {
    const { crc32c } = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32c }
    const check = new Uint8Array(new SharedArrayBuffer(9))
    check.set(Buffer.from('123456789'))
    const isRight =
      crc32c(check) === 0xe3069283 && crc32c(check.subarray(4), crc32c(check.subarray(0, 4))) === 0xe3069283
    return isRight ? crc32c : undefined
  } catch {
    return undefined
  }
}

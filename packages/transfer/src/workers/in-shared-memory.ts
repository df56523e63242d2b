/** Bytes below this are as quickly copied in the message. */
const SMALL = 4096

/**
 * A value whose bytes lie in shared memory, so that another thread reads them where they are. What lies there already
 * (fetched bytes do) is left as it is; other bytes move there once.
 */
export function inSharedMemory(value: unknown): unknown {
  return shared(value, 4)
}

function shared(value: unknown, depth: number): unknown {
  if (value instanceof Uint8Array) return value.byteLength < SMALL ? value : sharedBytes(value)
  if (depth === 0 || value === null || typeof value !== 'object') return value
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  let copy: Record<string, unknown> | undefined
  for (const [key, each] of Object.entries(value)) {
    const moved = shared(each, depth - 1)
    if (moved === each) continue
    copy ??= { ...value }
    copy[key] = moved
  }
  return copy ?? value
}

/** The same bytes in shared memory. */
export function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength))
  copy.set(bytes)
  return copy
}

/** Bytes that a value keeps in memory, as far as can be seen: its own, or those in its `bytes`. */
export function bytesIn(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0
  if (value instanceof Uint8Array) return value.byteLength
  const { bytes } = value as { bytes?: unknown }
  return bytes instanceof Uint8Array ? bytes.byteLength : 0
}

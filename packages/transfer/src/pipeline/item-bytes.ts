/** Bytes that a value keeps in memory, as far as can be seen: its own, or those in its `bytes`. */
export function bytesIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value === null || typeof value !== 'object') return 0
  return own(value) ?? own((value as { bytes?: unknown }).bytes) ?? 0
}

function own(value: unknown): number | undefined {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? value.byteLength : undefined
}

/** How deep bytes are looked for in a value. */
const DEPTH = 4

/**
 * What can go to another thread without a copy: the same value, and the memory to hand over with it. A view of a part of
 * larger memory (Node's small Buffers share 8 KiB) gets memory of its own, or more than the view would be given away.
 */
export function ownedBuffers(value: unknown): { readonly value: unknown; readonly buffers: ArrayBuffer[] } {
  const buffers = new Set<ArrayBuffer>()
  const own = (each: unknown, depth: number): unknown => {
    if (ArrayBuffer.isView(each)) return ownView(each as Uint8Array)
    if (each instanceof ArrayBuffer) {
      buffers.add(each)
      return each
    }
    if (depth === 0 || each === null || typeof each !== 'object') return each
    if (Array.isArray(each)) return hasBytes(each) ? each.map(one => own(one, depth - 1)) : each
    if (Object.getPrototypeOf(each) !== Object.prototype || !hasBytes(Object.values(each))) return each
    return Object.fromEntries(Object.entries(each).map(([key, one]) => [key, own(one, depth - 1)]))
  }
  const ownView = (view: Uint8Array): ArrayBufferView => {
    if (view.buffer instanceof SharedArrayBuffer) return view
    const isWhole = view.byteLength === view.buffer.byteLength
    const owned = isWhole ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice()
    buffers.add(owned.buffer as ArrayBuffer)
    return owned
  }
  return { value: own(value, DEPTH), buffers: [...buffers] }
}

/** Most values are small and flat: only those that may hold bytes are taken apart. */
function hasBytes(values: readonly unknown[]): boolean {
  return values.some(value => value !== null && typeof value === 'object')
}

/** Bytes below this are as quickly copied in the message. */
const SMALL = 4096

/**
 * Values whose bytes lie in shared memory, so that another thread reads them where they are. What lies there already
 * (fetched bytes do) is left as it is; other bytes move there once, also those that several values have.
 */
export function inSharedMemory(values: readonly unknown[]): unknown[] {
  const moved = new Map<ArrayBufferView, ArrayBufferView>()
  return values.map(value => shared(value, 4, moved))
}

function shared(value: unknown, depth: number, moved: Map<ArrayBufferView, ArrayBufferView>): unknown {
  if (ArrayBuffer.isView(value)) return sharedView(value, moved)
  if (depth === 0 || value === null || typeof value !== 'object') return value
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value
  let copy: Record<string, unknown> | undefined
  for (const [key, each] of entriesOf(value)) {
    if (each === null || typeof each !== 'object') continue
    const there = shared(each, depth - 1, moved)
    if (there === each) continue
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
    copy[key] = there
  }
  return copy ?? value
}

/** Long lists of figures are not worth a look at each. */
function entriesOf(value: object): Iterable<[string | number, unknown]> {
  if (!Array.isArray(value)) return Object.entries(value)
  return typeof value[0] === 'object' ? value.entries() : []
}

function sharedView(view: ArrayBufferView, moved: Map<ArrayBufferView, ArrayBufferView>): ArrayBufferView {
  if (view.byteLength < SMALL || view.buffer instanceof SharedArrayBuffer) return view
  const known = moved.get(view)
  if (known) return known
  const { buffer } = sharedBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  // Numbers stay numbers: a Float64Array is one there too.
  const There = (view instanceof Uint8Array ? Uint8Array : view.constructor) as new (
    memory: ArrayBufferLike,
  ) => ArrayBufferView
  const there = new There(buffer)
  moved.set(view, there)
  return there
}

/** The same bytes in shared memory. */
function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength))
  copy.set(bytes)
  return copy
}

interface WebAssemblyMemory {
  readonly buffer: SharedArrayBuffer
}

declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => WebAssemblyMemory
}

/** Bytes per WebAssembly page. */
export const WASM_PAGE = 65_536

/**
 * Shared memory that starts on a page boundary, which direct I/O demands and an ordinary SharedArrayBuffer does not
 * promise. Pages that are never touched cost address space only.
 */
export function allocateShared(byteLength: number): SharedArrayBuffer {
  const pages = Math.ceil(byteLength / WASM_PAGE)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer
}

/**
 * Digests by hash-wasm. Making one of its instances is asynchronous, so there is a single instance per algorithm and
 * thread, and the running digests take turns on it: whoever comes next has the state of the one before saved and its
 * own loaded (8 to 1916 bytes, about a microsecond).
 */
import type { IHasher } from 'hash-wasm'
import type { Hasher } from './running-digest.ts'

export type WasmAlgorithm = 'crc32c' | 'crc64nvme' | 'adler32' | 'xxh3' | 'xxh128' | 'blake3'

interface Machine {
  readonly instance: IHasher
  /** Saves the state of the digest whose turn it is. */
  evict: (() => void) | undefined
}

const CRC32C_REFLECTED = 0x82f63b78
const CRC64_NVME_REFLECTED = '9a6c9329ac4bc9b5'

const machines = new Map<WasmAlgorithm, Machine>()

export function isWasmAlgorithm(algorithm: string): algorithm is WasmAlgorithm {
  return Object.hasOwn(factories, algorithm)
}

export function isWasmLoaded(algorithm: WasmAlgorithm): boolean {
  return machines.has(algorithm)
}

export async function loadWasm(algorithm: WasmAlgorithm): Promise<void> {
  const instance = await factories[algorithm](await import('hash-wasm'))
  // A second load may have overtaken this one; its machine may be in use.
  if (!machines.has(algorithm)) machines.set(algorithm, { instance, evict: undefined })
}

export function createWasmHasher(algorithm: WasmAlgorithm): Hasher {
  const machine = machineOf(algorithm)
  const { instance } = machine
  let saved: Uint8Array | undefined
  const evict = () => {
    saved = instance.save()
  }
  const takeTurn = () => {
    if (machine.evict === evict) return
    machine.evict?.()
    machine.evict = evict
    if (saved) instance.load(saved)
    else instance.init()
  }
  return {
    update(bytes) {
      takeTurn()
      instance.update(bytes)
    },
    digest() {
      takeTurn()
      machine.evict = undefined
      return instance.digest('binary')
    },
  }
}

export function wasmDigest(algorithm: WasmAlgorithm, bytes: Uint8Array): Uint8Array {
  const machine = machineOf(algorithm)
  machine.evict?.()
  machine.evict = undefined
  return machine.instance.init().update(bytes).digest('binary')
}

const factories: Readonly<Record<WasmAlgorithm, (library: typeof import('hash-wasm')) => Promise<IHasher>>> = {
  crc32c: library => library.createCRC32(CRC32C_REFLECTED),
  crc64nvme: library => library.createCRC64(CRC64_NVME_REFLECTED),
  adler32: library => library.createAdler32(),
  xxh3: library => library.createXXHash3(),
  xxh128: library => library.createXXHash128(),
  blake3: library => library.createBLAKE3(),
}

function machineOf(algorithm: WasmAlgorithm): Machine {
  const machine = machines.get(algorithm)
  if (!machine) throw new Error(`Cannot hash with ${algorithm}: await loadHashers(['${algorithm}']) first`)
  return machine
}

/**
 * Slots: the memory in which bytes land and stay until they are written, hashed and handed on.
 *
 * All slots of an engine lie in one page-aligned shared memory: aligned for direct I/O, shared with hash and
 * write workers (no copies). The budget is bytes. A slot is reserved before a request is sent and freed
 * when its last holder releases it. Waiters are served strictly in the order they asked, which with ascending
 * reservation is the progress guarantee of retrieval 6: the lowest unfinished part always owns its slot.
 */

import { allocateShared, WASM_PAGE } from './shared-memory.ts'

/** A reserved piece of the shared memory. Made with one holder. */
export interface Slot {
  /** Byte address in the shared memory; a multiple of 4096. */
  readonly address: number
  /** Capacity in bytes. */
  readonly length: number
  readonly bytes: Uint8Array
  /** Somebody else holds it too. */
  readonly isShared: boolean
  retain(): void
  /** One holder fewer; the last one frees the slot. Releasing a free slot throws. */
  release(): void
  /** Gives back the tail beyond `length`, once the real size is known. */
  trim(length: number): void
}

const PAGE = 4096

/** From this size on a slot counts as large. */
const LARGE = 1 << 20

interface Extent {
  address: number
  length: number
}

interface Waiter {
  readonly length: number
  serve(slot: Slot): void
}

export interface SlotsOptions {
  /** Bytes for all slots together. */
  readonly budget: number
}

/** Shared memory of an engine, handed out in slots; who finds none waits in line. */
export class Slots {
  readonly budget: number
  readonly buffer: SharedArrayBuffer
  readonly #free: Extent[]
  readonly #waiters: Waiter[] = []
  #reserved = 0

  constructor({ budget }: SlotsOptions) {
    this.budget = Math.max(WASM_PAGE, Math.floor(budget / WASM_PAGE) * WASM_PAGE)
    this.buffer = allocateShared(this.budget)
    this.#free = [{ address: 0, length: this.budget }]
  }

  /** Bytes reserved now. */
  get reserved(): number {
    return this.#reserved
  }

  /** A slot at once, or undefined when there is no room or somebody waits already. */
  tryReserve(length: number): Slot | undefined {
    return this.#waiters.length > 0 ? undefined : this.#take(length)
  }

  /** A slot as soon as there is room. Rejects with the signal's reason. A length above the budget is refused. */
  reserve(length: number, signal?: AbortSignal): Promise<Slot> {
    if (!(length >= 0 && roundUp(length) <= this.budget)) {
      return Promise.reject(new RangeError(`Cannot reserve ${length} bytes: the memory budget is ${this.budget}`))
    }
    if (signal?.aborted) return Promise.reject(signal.reason)
    const slot = this.tryReserve(length)
    if (slot) return Promise.resolve(slot)
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(signal?.reason)
        this.#serve()
      }
      const waiter: Waiter = {
        length,
        serve: slot => {
          signal?.removeEventListener('abort', onAbort)
          resolve(slot)
        },
      }
      this.#waiters.push(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /**
   * Small ones from the bottom, large ones from the top, each as far out as possible: so the resident part of the memory
   * stays small, and a million small files do not leave their marks between the parts of large ones.
   */
  #take(length: number): Slot | undefined {
    const size = roundUp(length)
    const isLarge = size >= LARGE
    const fits = (extent: Extent) => extent.length >= size
    const index = isLarge ? this.#free.findLastIndex(fits) : this.#free.findIndex(fits)
    const extent = this.#free[index]
    if (!extent) return undefined
    const address = isLarge ? extent.address + extent.length - size : extent.address
    if (!isLarge) extent.address += size
    extent.length -= size
    if (extent.length === 0) this.#free.splice(index, 1)
    this.#reserved += size
    return new ReservedSlot(this.buffer, address, length, size, (at, count) => this.#give(at, count))
  }

  #give(address: number, length: number): void {
    this.#reserved -= length
    let index = this.#free.findIndex(extent => extent.address > address)
    if (index < 0) index = this.#free.length
    const before = this.#free[index - 1]
    const after = this.#free[index]
    const joinsBefore = before !== undefined && before.address + before.length === address
    const joinsAfter = after !== undefined && address + length === after.address
    if (joinsBefore && joinsAfter) {
      before.length += length + after.length
      this.#free.splice(index, 1)
    } else if (joinsBefore) before.length += length
    else if (joinsAfter) {
      after.address = address
      after.length += length
    } else this.#free.splice(index, 0, { address, length })
    this.#serve()
  }

  #serve(): void {
    for (let waiter = this.#waiters[0]; waiter; waiter = this.#waiters[0]) {
      const slot = this.#take(waiter.length)
      if (!slot) return
      this.#waiters.shift()
      waiter.serve(slot)
    }
  }
}

class ReservedSlot implements Slot {
  readonly address: number
  #length: number
  #size: number
  #holders = 1
  #bytes: Uint8Array
  readonly #give: (address: number, length: number) => void

  constructor(
    buffer: ArrayBufferLike,
    address: number,
    length: number,
    size: number,
    give: (address: number, length: number) => void,
  ) {
    this.address = address
    this.#length = length
    this.#size = size
    this.#bytes = new Uint8Array(buffer, address, length)
    this.#give = give
  }

  get length(): number {
    return this.#length
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  get isShared(): boolean {
    return this.#holders > 1
  }

  retain(): void {
    if (this.#holders === 0) throw new Error('Cannot retain a slot that is free')
    this.#holders++
  }

  release(): void {
    if (this.#holders === 0) throw new Error('Cannot release a slot twice')
    if (--this.#holders > 0) return
    // A late reader must not see another part's bytes: its view ends here.
    this.#bytes = this.#bytes.subarray(0, 0)
    this.#give(this.address, this.#size)
  }

  trim(length: number): void {
    if (this.#holders === 0) throw new Error('Cannot trim a slot that is free')
    const size = roundUp(length)
    if (length > this.#length) throw new RangeError(`Cannot trim a slot of ${this.#length} bytes to ${length}`)
    this.#length = length
    this.#bytes = this.#bytes.subarray(0, length)
    if (size === this.#size) return
    const rest = this.#size - size
    this.#size = size
    this.#give(this.address + size, rest)
  }
}

function roundUp(length: number): number {
  return Math.max(PAGE, Math.ceil(length / PAGE) * PAGE)
}

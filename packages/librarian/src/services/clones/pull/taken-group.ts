/** Files of one bundle that are committed together: each barrier is paid once for all of them. */
import type { IncomingTransfer } from '../../../catalogue/operations/uploads.ts'
import type { Arrived } from './fetch-bundle.ts'

/** The least that a file counts. */
const LEAST = 16 << 10
/** Of a group. */
const MOST_TOGETHER = 32 << 20

export interface Taken {
  readonly transfer: IncomingTransfer
  readonly arrived: Arrived
}

/** Bytes that it counts while it is not committed: files have their price beside their bytes. */
export function costOf({ transfer_size: size }: IncomingTransfer): number {
  return Math.max(size, LEAST)
}

export class TakenGroup {
  readonly #send: (taken: readonly Taken[]) => void
  #taken: Taken[] = []
  #cost = 0

  constructor(send: (taken: readonly Taken[]) => void) {
    this.#send = send
  }

  add(taken: Taken, cost: number): void {
    this.#taken.push(taken)
    this.#cost += cost
    if (this.#cost >= MOST_TOGETHER) this.end()
  }

  end(): void {
    if (this.#taken.length > 0) this.#send(this.#taken)
    ;[this.#taken, this.#cost] = [[], 0]
  }
}

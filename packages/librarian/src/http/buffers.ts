/**
 * Buffers for downloads, used again: most are gone after a piece, and making them anew costs more than filling them.
 * Only so many are kept as are worth keeping; whoever needs one always gets one.
 */
export class Buffers {
  readonly size: number
  readonly #most: number
  readonly #free: Buffer[] = []

  /** @param most kept while nobody uses them */
  constructor({ size = 512 * 1024, most = 64 }: { readonly size?: number; readonly most?: number } = {}) {
    this.size = size
    this.#most = most
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.size)
  }

  /** Nobody may read or write it any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#most) this.#free.push(buffer)
  }
}

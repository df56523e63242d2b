/** A link of so many bytes per second, shared by whoever reserves on it, first come first served. */
export class Pacer {
  readonly bytesPerSecond: number
  #free = 0

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond
  }

  /** Books the link for `bytes`; when they have passed, in milliseconds of `performance.now()`. */
  reserve(bytes: number): number {
    this.#free = Math.max(performance.now(), this.#free) + (bytes / this.bytesPerSecond) * 1000
    return this.#free
  }

  /** The most that should go at once: 20 ms worth. */
  get grain(): number {
    return Math.max(1, Math.floor(this.bytesPerSecond / 50))
  }
}

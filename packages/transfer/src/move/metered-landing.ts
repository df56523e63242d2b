import type { Bandwidth } from '../limits/bandwidth.ts'
import type { Landing } from '../source.ts'

const EMPTY = new Uint8Array(0)

/**
 * Counts what lands, and has room only while the bandwidth allows: beyond that the socket is left unread and TCP slows
 * the sender.
 */
export class MeteredLanding implements Landing {
  readonly #landing: Landing
  readonly #bandwidth: Bandwidth
  readonly #origin: string
  readonly #onLanded: (count: number) => void
  #waiting: Promise<void> | undefined

  constructor(landing: Landing, bandwidth: Bandwidth, origin: string, onLanded: (count: number) => void) {
    this.#landing = landing
    this.#bandwidth = bandwidth
    this.#origin = origin
    this.#onLanded = onLanded
  }

  get isComplete(): boolean {
    return this.#landing.isComplete
  }

  room(): Uint8Array {
    return this.#waiting ? EMPTY : this.#landing.room()
  }

  advance(count: number): void {
    this.#onLanded(count)
    this.#landing.advance(count)
    const wait = this.#bandwidth.take(this.#origin, count)
    if (wait) this.#waiting = wait.then(() => this.#goOn())
  }

  async whenRoom(): Promise<void> {
    while (this.#waiting) await this.#waiting
    await this.#landing.whenRoom()
  }

  #goOn(): void {
    this.#waiting = undefined
  }
}

import type { Landing } from '../../source.ts'

/**
 * A landing that is still being asked for: nothing has room until it is there, so that what already arrives waits on its
 * way. If it cannot be had, whoever waits for room gets to know why.
 */
export class DeferredLanding implements Landing {
  readonly #coming: Promise<void>
  #landing: Landing | undefined

  constructor(coming: Promise<Landing>) {
    this.#coming = coming.then(landing => {
      this.#landing = landing
    })
    this.#coming.catch(() => {})
  }

  get isComplete(): boolean {
    return this.#landing?.isComplete ?? false
  }

  room(): Uint8Array {
    return this.#landing?.room() ?? NONE
  }

  advance(count: number): void {
    this.#landing?.advance(count)
  }

  async whenRoom(): Promise<void> {
    if (!this.#landing) {
      await this.#coming
      if (this.room().length > 0 || this.isComplete) return
    }
    await this.#landing?.whenRoom()
  }
}

const NONE = new Uint8Array(0)

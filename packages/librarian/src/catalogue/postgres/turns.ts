/**
 * Who may run beside others. Transactions run side by side until one has been beaten by others too often; that one then waits for
 * those that run, runs alone, and cannot be beaten by this process again.
 */
export class Turns {
  #running = 0
  #isAlone = false
  readonly #waiting: { readonly isAlone: boolean; readonly start: () => void }[] = []

  /** Resolves when it may run; what it resolves to is called when it has. */
  enter(isAlone: boolean): Promise<() => void> {
    return new Promise(resolve => {
      this.#waiting.push({ isAlone, start: () => resolve(this.#leave()) })
      this.#next()
    })
  }

  #leave(): () => void {
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      this.#running--
      this.#isAlone = false
      this.#next()
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (this.#isAlone || (first.isAlone && this.#running > 0)) return
      this.#waiting.shift()
      this.#running++
      this.#isAlone = first.isAlone
      first.start()
    }
  }
}

/** So much at once; who comes later waits in order. What alone is more goes alone. */
export class Budget {
  readonly #most: number
  readonly #waiting: { readonly cost: number; readonly go: () => void }[] = []
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Resolves when there is room; to be given back by `leave`. */
  async enter(cost: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(cost)) this.#taken += cost
    else await new Promise<void>(go => this.#waiting.push({ cost, go }))
  }

  hasRoom(cost: number): boolean {
    return this.#waiting.length === 0 && this.#fits(cost)
  }

  leave(cost: number): void {
    this.#taken -= cost
    for (let next = this.#waiting[0]; next && this.#fits(next.cost); next = this.#waiting[0]) {
      this.#taken += next.cost
      this.#waiting.shift()
      next.go()
    }
  }

  #fits(cost: number): boolean {
    return this.#taken === 0 || this.#taken + cost <= this.#most
  }
}

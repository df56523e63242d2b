/** Waits for things until it is cut. Unlike a race with one lasting promise it keeps nothing of what is over. */
export class Leash {
  #end: { readonly why: unknown } | undefined
  readonly #rejects = new Set<(why: unknown) => void>()

  /** Ends the waiting, now and for ever; the first reason holds. */
  cut(why: unknown): void {
    this.#end ??= { why }
    for (const reject of this.#rejects) reject(this.#end.why)
  }

  wait<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#rejects.add(reject)
      const over = () => this.#rejects.delete(reject)
      promise.then(
        value => {
          over()
          resolve(value)
        },
        error => {
          over()
          reject(error)
        },
      )
      if (this.#end) reject(this.#end.why)
    })
  }
}

/**
 * Many small questions as a few large ones: those that are put at about the same time travel together. Each is answered
 * or fails for itself.
 */
export interface BatcherOptions<Key, Value> {
  /** Answers all; what is missing from the map was not found. Rejects if nothing could be learnt. */
  ask(keys: readonly Key[]): Promise<ReadonlyMap<Key, Value | Error>>
  /** Most keys in one question. */
  readonly most: number
  /** How long the first of them waits for others, ms. Default 5. */
  readonly waitMs?: number | undefined
}

export class Batcher<Key, Value> {
  readonly #options: BatcherOptions<Key, Value>
  #waiting = new Map<Key, PromiseWithResolvers<Value | undefined>>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: BatcherOptions<Key, Value>) {
    this.#options = options
  }

  /** Undefined: not found. */
  get(key: Key): Promise<Value | undefined> {
    let answer = this.#waiting.get(key)
    if (!answer) {
      answer = Promise.withResolvers()
      this.#waiting.set(key, answer)
      if (this.#waiting.size >= this.#options.most) this.#send()
      else this.#timer ??= setTimeout(() => this.#send(), this.#options.waitMs ?? 5)
    }
    return answer.promise
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = new Map()
    this.#options.ask([...waiting.keys()]).then(
      found => {
        for (const [key, { resolve, reject }] of waiting) {
          const value = found.get(key)
          if (value instanceof Error) reject(value)
          else resolve(value)
        }
      },
      error => {
        for (const { reject } of waiting.values()) reject(error)
      },
    )
  }
}

import { Thread, type ThreadOptions } from './thread.ts'

/** How many reads one of several threads is given ahead: one slow search delays no more than these. */
const aheadOfSeveral = 4

interface Read {
  readonly area: string
  readonly name: string
  readonly args: unknown
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Hands reads to the threads that have least to do. */
export class ReadThreads {
  readonly #threads: readonly Thread[]
  /** A single thread has them all anyway, and what travels together is answered together. */
  readonly #ahead: number
  readonly #waiting: Read[] = []

  constructor(count: number, options: ThreadOptions) {
    this.#threads = Array.from({ length: count }, () => new Thread(options))
    this.#ahead = count > 1 ? aheadOfSeveral : Number.POSITIVE_INFINITY
  }

  get ready(): Promise<unknown> {
    return Promise.all(this.#threads.map(thread => thread.ready))
  }

  call(area: string, name: string, args: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ area, name, args, resolve, reject })
      this.#hand()
    })
  }

  async close(): Promise<void> {
    // Those under way are answered by their threads, which end after that.
    while (this.#waiting.length > 0) this.#give(this.#threads[0]!, this.#waiting.shift()!)
    await Promise.all(this.#threads.map(thread => thread.close()))
  }

  #hand(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.reduce((a, b) => (b.load < a.load ? b : a))
      if (thread.load >= this.#ahead) return
      this.#give(thread, this.#waiting.shift()!)
    }
  }

  #give(thread: Thread, { area, name, args, resolve, reject }: Read): void {
    thread
      .call(area, name, args)
      .then(resolve, reject)
      .finally(() => this.#hand())
  }
}

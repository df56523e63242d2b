/** How many downloads there are at once, of one user and of all. */
import { LibrarianError } from '@arriero/api'

export interface DownloadsOptions {
  readonly perUser?: number | undefined
  readonly total?: number | undefined
}

export class Downloads {
  readonly #perUser: number
  readonly #most: number
  readonly #byUser = new Map<string, number>()
  #running = 0

  constructor({ perUser = 64, total = 1000 }: DownloadsOptions = {}) {
    this.#perUser = perUser
    this.#most = total
  }

  /** Dispose of what it returns to leave. @throws LibrarianError TooMany, Busy */
  enter(user: string): Disposable {
    const own = this.#byUser.get(user) ?? 0
    if (own >= this.#perUser) {
      throw new LibrarianError(
        'TooMany',
        `Cannot begin another download for ${user}: ${own} are running, the most is ${own}`,
        {
          retryAfterSeconds: 5,
        },
      )
    }
    if (this.#running >= this.#most) {
      throw new LibrarianError(
        'Busy',
        `Cannot begin another download: ${this.#running} are running, the most there may be`,
        {
          retryAfterSeconds: 5,
        },
      )
    }
    this.#byUser.set(user, own + 1)
    this.#running++
    return { [Symbol.dispose]: () => this.#leave(user) }
  }

  #leave(user: string): void {
    const left = (this.#byUser.get(user) ?? 1) - 1
    if (left === 0) this.#byUser.delete(user)
    else this.#byUser.set(user, left)
    this.#running--
  }
}

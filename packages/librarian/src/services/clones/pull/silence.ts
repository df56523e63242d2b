/**
 * What silence on the way to a librarian means. Pure; counted in steps of a timer, not in seconds: a process that was busy itself
 * has not listened.
 *
 *   quiet   nothing came to anything that is under way, for `QUIET` steps: a probe is sent, and another one whenever an eighth of
 *           the silence has passed again. So a cut costs an eighth of its length beyond itself, and who is gone is asked ever less
 *   slow    the first probe is answered: the librarian takes its time, and is asked again when it was silent for twice as long
 *   back    one is answered after another one was not: the link was cut
 *   down    none is answered for `PATIENCE` steps of silence
 */

/** ms */
export const STEP_MS = 250

const QUIET = 4
/** A probe that was not answered in so many steps was lost. */
const LOST = 3
const PATIENCE = 240

export type Turn = 'wait' | 'probe' | 'down'

export class Silence {
  #steps = 0
  /** When the next probe is to be sent. */
  #due = QUIET
  /** When the first of those that are under way was sent. */
  #sentAt: number | undefined
  #isLost = false

  /** Steps in which nothing came. */
  get steps(): number {
    return this.#steps
  }

  /** Something came, or nothing is waited for. */
  end(): void {
    this.#steps = 0
    this.#due = QUIET
    this.#sentAt = undefined
    this.#isLost = false
  }

  /** A step in which something was waited for and nothing came. */
  next(): Turn {
    this.#steps++
    if (this.#sentAt !== undefined && this.#steps - this.#sentAt >= LOST) this.#isLost = true
    if (this.#isLost && this.#steps >= PATIENCE) return 'down'
    if (this.#steps < this.#due) return 'wait'
    this.#due = this.#steps + Math.max(1, this.#steps >> 3)
    this.#sentAt ??= this.#steps
    return 'probe'
  }

  /** It is known already that nobody is to be reached: a probe failed, or a request could not be made. */
  lost(): void {
    this.#isLost = true
    this.#steps = Math.max(this.#steps, QUIET - 1)
    this.#due = Math.min(this.#due, this.#steps + 1)
  }

  /** A probe was answered. */
  answered(): 'slow' | 'back' {
    if (this.#isLost) {
      this.end()
      return 'back'
    }
    this.#sentAt = undefined
    this.#due = this.#steps * 2
    return 'slow'
  }
}

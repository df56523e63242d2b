import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
} from 'node:fs'
import { codeOf } from './system-error.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/**
 * A directory that is held open. What is reached through it stays in it, whoever swaps directories for links meanwhile
 * (reliability 7.8): the kernel starts at the descriptor, and the one segment after it is not followed.
 */
export class Held implements Disposable {
  readonly fd: number

  private constructor(fd: number) {
    this.fd = fd
  }

  /** A place that the settings name: its own path may have links. */
  static place(path: string): Held {
    return new Held(openSync(path, O_RDONLY | O_DIRECTORY))
  }

  /** A path through which a call reaches `leaf`, one segment; the call itself must not follow it. */
  at(leaf: string): string {
    return `/proc/self/fd/${this.fd}/${leaf}`
  }

  /** The directory itself, for listing. */
  get path(): string {
    return `/proc/self/fd/${this.fd}`
  }

  /** @throws ENOENT, ENOTDIR; ELOOP or ENOTDIR for a link. */
  enter(segment: string): Held {
    return new Held(openSync(this.at(segment), O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  /** Follows segments one by one. */
  walk(segments: readonly string[]): Held {
    const [first = '.', ...rest] = segments
    let here = this.enter(first)
    for (const segment of rest) {
      using before = here
      here = before.enter(segment)
    }
    return here
  }

  /** Makes it, or enters what is there. True: it was made. */
  make(segment: string, mode: number): { readonly directory: Held; readonly isNew: boolean } {
    let isNew = true
    try {
      mkdirSync(this.at(segment), mode)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      isNew = false
    }
    const directory = this.enter(segment)
    // The umask may have taken bits.
    if (isNew) fchmodSync(directory.fd, mode)
    return { directory, isNew }
  }

  /** Undefined: nothing there. Never follows. */
  look(leaf: string): Stats | undefined {
    return lstatSync(this.at(leaf), { throwIfNoEntry: false })
  }

  /** The same to the nanosecond. */
  lookClosely(leaf: string): BigIntStats | undefined {
    return lstatSync(this.at(leaf), { bigint: true, throwIfNoEntry: false })
  }

  stats(): Stats {
    return fstatSync(this.fd)
  }

  setMode(mode: number): void {
    fchmodSync(this.fd, mode)
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}

import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { Context } from './context.ts'
import { BLOCK, DIRECT_FROM } from './direct.ts'
import { finishFile, writeWhole } from './finish-file.ts'
import type { Held } from './held.ts'
import { codeOf } from './system-error.ts'

const { O_CREAT, O_DIRECT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/**
 * A file that nobody sees yet, written from its beginning to its end. Whole blocks of a large one go to the device from the memory
 * where they are, if that begins on a page: the page cache would take a copy, and time to find the pages for it. The rest, and all
 * where a file system refuses that, goes the ordinary way (docs/decisions/0002).
 */
export class NewFile implements Disposable {
  readonly #fd: number
  #direct: number | undefined
  #size = 0

  /** @param size as announced; @throws EEXIST */
  constructor(directory: Held, name: string, size: number) {
    const path = directory.at(name)
    this.#fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    this.#direct = size >= DIRECT_FROM ? openDirectly(path) : undefined
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size
  }

  write(bytes: Uint8Array): void {
    const isOnBlock = this.#size % BLOCK === 0 && bytes.byteOffset % BLOCK === 0
    const blocks = isOnBlock ? bytes.length - (bytes.length % BLOCK) : 0
    const done = this.#writeDirectly(bytes.subarray(0, blocks))
    writeWhole(this.#fd, bytes.subarray(done), this.#size + done)
    this.#size += bytes.length
  }

  /** All has been written: it gets the owner and the mode of what is committed. */
  finish(context: Context): void {
    finishFile(this.#fd, context)
  }

  [Symbol.dispose](): void {
    this.#leaveDirect()
    closeSync(this.#fd)
  }

  /** @returns how many it took; none after it has refused some */
  #writeDirectly(bytes: Uint8Array): number {
    let done = 0
    while (this.#direct !== undefined && done < bytes.length) {
      try {
        done += writeSync(this.#direct, bytes, done, bytes.length - done, this.#size + done)
      } catch (error) {
        if (codeOf(error) !== 'EINVAL') throw error
        this.#leaveDirect()
      }
    }
    return done
  }

  #leaveDirect(): void {
    if (this.#direct !== undefined) closeSync(this.#direct)
    this.#direct = undefined
  }
}

/** Undefined: its file system takes no such writing. */
function openDirectly(path: string): number | undefined {
  try {
    return openSync(path, O_WRONLY | O_NOFOLLOW | O_DIRECT)
  } catch (error) {
    if (codeOf(error) === 'EINVAL') return undefined
    throw error
  }
}

import { readFileSync, writeFileSync } from 'node:fs'
import type { Spool } from './store.ts'

/** A spool in memory. Its `path` is a real file from the moment that somebody asks for it: the engine writes files. */
export class MemorySpool implements Spool {
  readonly #makePath: () => string
  #bytes = new Uint8Array()
  #path: string | undefined

  constructor(makePath: () => string) {
    this.#makePath = makePath
  }

  get path(): string {
    if (this.#path === undefined) {
      this.#path = this.#makePath()
      writeFileSync(this.#path, this.#bytes)
    }
    return this.#path
  }

  get offset(): number {
    return this.bytes.length
  }

  get bytes(): Uint8Array {
    return this.#path === undefined ? this.#bytes : readFileSync(this.#path)
  }

  async append(
    body: AsyncIterable<Uint8Array>,
    {
      signal,
      limit = Number.POSITIVE_INFINITY,
      accept,
    }: { signal?: AbortSignal; limit?: number; accept?: () => boolean } = {},
  ): Promise<number> {
    const pieces = [this.bytes]
    let room = limit
    try {
      for await (const piece of body) {
        if (signal?.aborted) break
        pieces.push(piece.slice(0, room))
        room -= Math.min(room, piece.length)
        if (room === 0) break
      }
    } catch {
      // The body broke off: what came is kept, and the offset says how much that is.
    }
    if (accept?.() === false) return this.offset
    this.#bytes = new Uint8Array(Buffer.concat(pieces))
    if (this.#path !== undefined) writeFileSync(this.#path, this.#bytes)
    return this.offset
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

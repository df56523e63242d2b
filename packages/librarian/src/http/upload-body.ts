/**
 * The body of an upload as it is appended: counted, digested where the sender stated a digest, held to a limit. It
 * never throws for what the sender does: whoever reads it keeps what came, and asks afterwards how it ended.
 */
import { createHash, type Hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { StatedDigest } from './digest-fields.ts'

export interface UploadBodyOptions {
  readonly request: IncomingMessage
  /** Most bytes that may come. */
  readonly limit: number
  readonly digest: StatedDigest | undefined
  /** Another request wants to write: stop reading. */
  readonly signal: AbortSignal
}

/** `broken`: the connection ended · `stopped`: the signal · `too-long`: beyond the limit. */
export type UploadEnd = 'whole' | 'broken' | 'stopped' | 'too-long'

export class UploadBody implements AsyncIterable<Uint8Array> {
  readonly #options: UploadBodyOptions
  readonly #hash: Hash | undefined
  #received = 0
  /** Undefined while it is being read. */
  end: UploadEnd | undefined

  constructor(options: UploadBodyOptions) {
    this.#options = options
    this.#hash = options.digest && createHash(options.digest.algorithm)
  }

  get received(): number {
    return this.#received
  }

  /** Whether what came may be kept: all of it was stated and matches, or nothing was stated. */
  readonly accept = (): boolean => {
    if (this.end === 'too-long') return false
    return !this.#hash || (this.end === 'whole' && this.matches)
  }

  /** Whether it is what its digest says; asked once it has ended. */
  get matches(): boolean {
    const { digest } = this.#options
    if (!digest || !this.#hash) return true
    this.#digested ??= this.#hash.digest()
    return timingSafeEqual(this.#digested, digest.digest)
  }

  #digested: Buffer | undefined

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { request, limit, signal } = this.#options
    const onStop = () => {
      this.end ??= 'stopped'
      request.destroy()
    }
    signal.addEventListener('abort', onStop, { once: true })
    if (signal.aborted) onStop()
    try {
      // Destroying the request when we stop would take the answer's connection with it.
      for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.#received += piece.length
        if (this.#received > limit) {
          this.end = 'too-long'
          return
        }
        this.#hash?.update(piece)
        yield piece
      }
      this.end ??= request.complete ? 'whole' : 'broken'
    } catch {
      this.end ??= 'broken'
    } finally {
      signal.removeEventListener('abort', onStop)
    }
  }
}

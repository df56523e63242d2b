/** Bytes that nothing can compress, the same in every run, of any length without a disk. */
import { createCipheriv, createHash } from 'node:crypto'

/** A prime: no part that is put into a wrong place compares equal. */
const poolBytes = 8_388_617

export class Content {
  readonly size: number
  readonly #pool: Buffer

  constructor(size: number) {
    this.size = size
    const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16))
    this.#pool = cipher.update(Buffer.alloc(poolBytes))
  }

  /** Views, without a copy, of at most `most` bytes each. */
  *pieces(start: number, end: number, most = 1 << 20): Generator<Buffer> {
    for (let at = start; at < end; ) {
      const from = at % poolBytes
      const piece = this.#pool.subarray(from, Math.min(from + most, from + end - at, poolBytes))
      yield piece
      at += piece.length
    }
  }

  sha256(): string {
    const hash = createHash('sha256')
    for (const piece of this.pieces(0, this.size)) hash.update(piece)
    return hash.digest('hex')
  }
}

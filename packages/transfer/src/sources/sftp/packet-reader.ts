import { ANSWER, malformed } from './packets.ts'

/** Larger answers are a fault; OpenSSH's are at most 256 KiB. */
const MOST = 1 << 20
/** Length, type, request, and the length of the data: what must be there before data can be handed on. */
const HEAD = 13

export interface PacketListener {
  /** A whole answer; `body` is what stands behind the type. */
  packet(type: number, body: Buffer): void
  /** A piece of the data that answers a read, as soon as it is there. */
  data(request: number, piece: Buffer, isLast: boolean): void
}

/**
 * Cuts a stream into answers. Data is handed on piece by piece as it came, without being put together: that spares a
 * copy of everything, and it lands while the rest is still on its way.
 */
export class PacketReader {
  readonly #listener: PacketListener
  readonly #head = Buffer.alloc(HEAD)
  #headSize = 0
  #body: Buffer | undefined
  #bodySize = 0
  /** The read whose data is coming, and how much of it is still to come. */
  #request = 0
  #left = 0

  constructor(listener: PacketListener) {
    this.#listener = listener
  }

  /** Pieces that are handed on are views of `bytes`. */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#left > 0) at += this.#handOn(bytes, at)
      else if (this.#body) at += this.#fill(this.#body, bytes, at)
      else at += this.#begin(bytes, at)
    }
  }

  #begin(bytes: Buffer, at: number): number {
    // Only data needs more of its head than length and type, and other answers may be shorter than that.
    const wanted = this.#headSize >= 5 && this.#head[4] === ANSWER.data ? HEAD : 5
    const count = bytes.copy(this.#head, this.#headSize, at, at + wanted - this.#headSize)
    this.#headSize += count
    if (this.#headSize < wanted) return count
    const length = this.#head.readUInt32BE(0)
    if (length < 1 || length > MOST) throw malformed(`an answer of ${length} bytes`)
    if (this.#head[4] !== ANSWER.data) {
      this.#body = Buffer.allocUnsafe(length - 1)
      this.#bodySize = 0
      if (length === 1) this.#finish(this.#body)
    } else if (wanted === HEAD) this.#beginData(length)
    return count
  }

  #beginData(length: number): void {
    this.#headSize = 0
    this.#request = this.#head.readUInt32BE(5)
    this.#left = this.#head.readUInt32BE(9)
    if (this.#left !== length - 9) throw malformed(`data of ${this.#left} bytes in an answer of ${length}`)
    if (this.#left === 0) throw malformed('data without a byte')
  }

  #handOn(bytes: Buffer, at: number): number {
    const piece = at === 0 && bytes.length <= this.#left ? bytes : bytes.subarray(at, at + this.#left)
    this.#left -= piece.length
    this.#listener.data(this.#request, piece, this.#left === 0)
    return piece.length
  }

  #fill(body: Buffer, bytes: Buffer, at: number): number {
    const count = bytes.copy(body, this.#bodySize, at)
    this.#bodySize += count
    if (this.#bodySize === body.length) this.#finish(body)
    return count
  }

  #finish(body: Buffer): void {
    this.#body = undefined
    this.#headSize = 0
    this.#listener.packet(this.#head[4] as number, body)
  }
}

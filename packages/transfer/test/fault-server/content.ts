/**
 * What the fault server serves: D(n) of retrieval 18, computed where it is asked, so that a resource of many GiB costs
 * nothing.
 *
 * D repeats every 2^24 bytes: 131 i, 17 (i >> 8) and 7 (i >> 16) all vanish modulo 256 there. So 256 blocks of 64 KiB,
 * made when first touched, are the whole of it at any offset.
 */

export interface Content {
  readonly size: number
  /** Bytes from `offset` on, at least one and at most `limit`; never to be written to. Goes on beyond `size`. */
  piece(offset: number, limit: number): Uint8Array
}

const BLOCK = 65_536
const BLOCKS = 256

/** D(size). Another `version` is other content of the same size: every byte xor the version. */
export function patternContent(size: number, version = 0): Content {
  return { size, piece: (offset, limit) => patternPiece(offset, limit, version) }
}

/** Given bytes, then zeros without end. */
export function bytesContent(bytes: Uint8Array): Content {
  return {
    size: bytes.length,
    piece: (offset, limit) =>
      offset < bytes.length
        ? bytes.subarray(offset, Math.min(bytes.length, offset + limit))
        : new Uint8Array(Math.min(limit, BLOCK)),
  }
}

/** The same content with the lowest bit of the bytes at `offsets` turned over. */
export function flipped(content: Content, offsets: readonly number[]): Content {
  return {
    size: content.size,
    piece(offset, limit) {
      const piece = content.piece(offset, limit)
      const hits = offsets.filter(at => at >= offset && at < offset + piece.length)
      if (hits.length === 0) return piece
      const copy = piece.slice()
      for (const at of hits) copy[at - offset]! ^= 1
      return copy
    },
  }
}

/** All of a content in one array; for small ones only. */
export function wholeOf(content: Content): Uint8Array {
  if (content.size > 64 * 1024 * 1024) throw new RangeError(`Cannot hold ${content.size} bytes in one array`)
  const whole = new Uint8Array(content.size)
  for (let at = 0; at < whole.length; ) {
    const piece = content.piece(at, whole.length - at)
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

const blocks = new Map<number, Uint8Array>()

function patternPiece(offset: number, limit: number, version: number): Uint8Array {
  const within = offset % BLOCK
  const index = Math.floor(offset / BLOCK) % BLOCKS
  return block(index, version & 255).subarray(within, Math.min(BLOCK, within + limit))
}

function block(index: number, version: number): Uint8Array {
  const key = version * BLOCKS + index
  let bytes = blocks.get(key)
  if (!bytes) {
    bytes = new Uint8Array(BLOCK)
    for (let i = 0; i < BLOCK; i++) bytes[i] = (131 * i + 17 * (i >> 8) + 7 * index) ^ version
    // The base version is at most 16 MiB; of other versions only the latest blocks stay.
    if (blocks.size > 2 * BLOCKS) blocks.clear()
    blocks.set(key, bytes)
  }
  return bytes
}

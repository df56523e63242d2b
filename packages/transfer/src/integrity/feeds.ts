/**
 * Feeds: how the chunks of one resource reach a digest. Chunks come in any order, each byte once (the digester sees to
 * that).
 *
 * - CRCs take every chunk as it comes and combine.
 * - A serial digest takes them in ascending order; an early chunk waits, in its slot, for its turn. This cannot deadlock:
 *   the lowest unfinished part always owns a slot (retrieval 6).
 * - A composite is a serial digest per part, so its parts go on side by side, on different workers, whether or not
 *   they align with the chunks.
 */
import type { CombinableAlgorithm, DigestAlgorithm } from './algorithms.ts'
import { combineCrc } from './combine-crc.ts'
import type { DigestStream, HashLane } from './hash-lane.ts'
import { toHex } from './hasher.ts'
import { compositeOf } from './s3-etag.ts'
import { createSegments } from './segments.ts'

export interface Feed<Result> {
  /** Undefined when done at once; else resolves when the bytes are no longer needed. */
  add(offset: number, bytes: Uint8Array): Promise<void> | undefined
  /** Every byte of [0, size) was added. */
  finish(size: number): Promise<Result>
  /** Ends without a result; chunks that wait for their turn are let go. */
  close(): void
}

/** CRCs as hex, in the order of the algorithms. */
export function createCrcFeed(algorithms: readonly CombinableAlgorithm[], lane: HashLane): Feed<readonly string[]> {
  const segments = createSegments<readonly bigint[]>((left, right, lengthOfRight) =>
    left.map((crc, index) => combineCrc(algorithms[index]!, crc, right[index]!, lengthOfRight)),
  )
  const keep = (offset: number, length: number, digests: readonly Uint8Array[]) =>
    segments.add(
      offset,
      length,
      digests.map(digest => BigInt(`0x${toHex(digest)}`)),
    )
  return {
    add(offset, bytes) {
      const { length } = bytes
      const digests = lane.digestChunk(algorithms, bytes)
      if (digests instanceof Promise) return digests.then(known => keep(offset, length, known))
      keep(offset, length, digests)
      return undefined
    },
    async finish(size) {
      const empty = new Uint8Array()
      if (size === 0) return (await lane.digestChunk(algorithms, empty)).map(toHex)
      const crcs = segments.whole(size)!.value
      return crcs.map((crc, index) => crc.toString(16).padStart(algorithms[index] === 'crc64nvme' ? 16 : 8, '0'))
    },
    close() {},
  }
}

interface Waiting {
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** A digest of the bytes from `start` on, in order. */
export function createSerialFeed(algorithm: DigestAlgorithm, lane: HashLane, start = 0): SerialFeed {
  const waiting = new Map<number, Waiting>()
  let stream: DigestStream | undefined
  let position = start
  const push = (bytes: Uint8Array) => {
    position += bytes.length
    return (stream ??= lane.open(algorithm)).update(bytes)
  }
  const letFollow = () => {
    for (let next = waiting.get(position); next; next = waiting.get(position)) {
      waiting.delete(position)
      const done = push(next.bytes)
      if (done) done.then(next.resolve, next.reject)
      else next.resolve()
    }
  }
  return {
    get position() {
      return position
    },
    add(offset, bytes) {
      if (offset !== position) {
        return new Promise<void>((resolve, reject) => waiting.set(offset, { bytes, resolve, reject }))
      }
      const done = push(bytes)
      letFollow()
      return done
    },
    async finish() {
      return (stream ??= lane.open(algorithm)).digest()
    },
    close() {
      for (const { resolve } of waiting.values()) resolve()
      waiting.clear()
      stream?.close()
    },
  }
}

export interface SerialFeed extends Feed<Uint8Array> {
  /** Where the next byte in turn belongs. */
  readonly position: number
}

/** The composite of parts of `partSize` bytes, as `hex-n`. */
export function createCompositeFeed(algorithm: DigestAlgorithm, partSize: number, lane: HashLane): Feed<string> {
  const open = new Map<number, SerialFeed>()
  const ended: Promise<Uint8Array>[] = []
  const part = (index: number) => {
    const known = open.get(index)
    if (known) return known
    const feed = createSerialFeed(algorithm, lane, index * partSize)
    open.set(index, feed)
    return feed
  }
  const end = (index: number) => {
    const digest = part(index).finish(0)
    // It is awaited by finish() only, which may come late or never.
    digest.catch(() => {})
    ended[index] = digest
    open.delete(index)
  }
  const addPiece = (index: number, offset: number, bytes: Uint8Array) => {
    const feed = part(index)
    const done = feed.add(offset, bytes)
    if (feed.position === (index + 1) * partSize) end(index)
    return done
  }
  return {
    add(offset, bytes) {
      return whenAll(piecesOf(offset, bytes, partSize).map(piece => addPiece(piece.index, piece.offset, piece.bytes)))
    },
    async finish(size) {
      const last = Math.max(Math.ceil(size / partSize), 1) - 1
      if (!ended[last]) end(last)
      return compositeOf(algorithm, await Promise.all(ended))
    },
    close() {
      for (const feed of open.values()) feed.close()
    },
  }
}

function piecesOf(offset: number, bytes: Uint8Array, partSize: number) {
  const pieces: { index: number; offset: number; bytes: Uint8Array }[] = []
  for (let taken = 0; taken < bytes.length; ) {
    const at = offset + taken
    const index = Math.floor(at / partSize)
    const count = Math.min(bytes.length - taken, (index + 1) * partSize - at)
    pieces.push({ index, offset: at, bytes: bytes.subarray(taken, taken + count) })
    taken += count
  }
  return pieces
}

/** Undefined when nothing is left to wait for, so that small inputs cost no promise. */
export function whenAll(pending: readonly (Promise<void> | undefined)[]): Promise<void> | undefined {
  const promises = pending.filter(promise => promise !== undefined)
  return promises.length < 2 ? promises[0] : Promise.all(promises).then(() => {})
}

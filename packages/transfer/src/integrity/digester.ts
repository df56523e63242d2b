/**
 * Digests of one resource while its bytes pass (retrieval 11.4).
 *
 * Small inputs are hashed where they are: a message to a worker costs more than the MD5 of 10 KiB. Large ones go
 * to the pool's workers, which read the same memory.
 */
import { TransferError } from '../errors.ts'
import { type DigestAlgorithm, isCombinable } from './algorithms.ts'
import type { Algorithm } from './checksum.ts'
import { type CompositeAttempt, type CompositeTarget, type Digests, partAlgorithm } from './digests.ts'
import { createCompositeFeed, createCrcFeed, createSerialFeed, type Feed, whenAll } from './feeds.ts'
import { type HashLane, inlineLane } from './hash-lane.ts'
import { digestOf, isLoaded, toHex } from './hasher.ts'
import { partCount } from './parse-checksum.ts'
import { partSizeCandidates } from './s3-etag.ts'
import { createSegments } from './segments.ts'

export interface DigesterOptions {
  readonly algorithms: readonly DigestAlgorithm[]
  /** Composites to find the layout of; `digestsFor(expectations)` gives both. Default: none. */
  readonly composites?: readonly CompositeTarget[]
  /** Bytes, if known. */
  readonly size: number | undefined
  /** Workers for inputs of more than 256 KiB. Default: everything on the calling thread. */
  readonly pool?: HashLane | undefined
}

export interface Digester {
  /**
   * Takes a run of bytes; each byte exactly once, in any order. They must not change until the promise resolves;
   * undefined says that they are no longer needed already. Bytes that a serial digest cannot use yet wait for those
   * before them. Rejects with a retriable TransferError when a worker died; then nothing but `close` is left.
   */
  add(offset: number, bytes: Uint8Array): Promise<void> | undefined
  /**
   * The digests, once everything was added.
   *
   * @throws TransferError SizeMismatch when not exactly the bytes of [0, size) were added.
   */
  finish(size: number): Promise<Digests>
  /** Gives up: waiting bytes are let go. May be called at any time and twice. */
  close(): void
}

/** Inputs up to this many bytes are hashed on the calling thread: 0.3 ms of MD5. */
export const INLINE_LIMIT = 262_144

/** With more candidates than this, only the likeliest is hashed in passing; the others cost a second reading. */
const CANDIDATES_IN_PASSING = 8

/**
 * A digester for one resource. Needs `await loadHashers([...])` for its algorithms.
 *
 * @example
 * ```ts
 * const digester = createDigester({ ...digestsFor(expectations), size, pool })
 * for (const chunk of chunks) await digester.add(chunk.offset, chunk.bytes)
 * const verification = verify(expectations, await digester.finish(size), size)
 * ```
 */
export function createDigester(options: DigesterOptions): Digester {
  const { algorithms, composites = [], size, pool } = options
  requireLoaded([...algorithms, ...composites.map(({ algorithm }) => partAlgorithm(algorithm))])
  const isSmall = size !== undefined && size <= INLINE_LIMIT
  const lane = pool && !isSmall ? pool : inlineLane
  let whole: Digests | undefined
  let pieces: Pieces | undefined
  let isEnded = false
  return {
    add(offset, bytes) {
      if (isEnded) throw new Error('Cannot add bytes to a digester that has ended')
      if (bytes.length === 0) return undefined
      const isWhole = lane === inlineLane && bytes.length === size && composites.length === 0
      if (isWhole && !pieces && !whole && offset === 0) {
        whole = digestsOfWhole(algorithms, bytes)
        return undefined
      }
      if (whole) throw new Error(`Cannot digest bytes at ${offset}: each byte must come once`)
      pieces ??= createPieces(algorithms, composites, size, lane)
      return pieces.add(offset, bytes)
    },
    async finish(total) {
      isEnded = true
      if (whole?.size === total) return whole
      if (whole) throw incomplete(total)
      pieces ??= createPieces(algorithms, composites, size, lane)
      return pieces.finish(total)
    },
    close() {
      isEnded = true
      pieces?.close()
    },
  }
}

function requireLoaded(algorithms: readonly DigestAlgorithm[]): void {
  const missing = algorithms.filter(algorithm => !isLoaded(algorithm))
  if (missing.length > 0) throw new Error(`Cannot digest: await loadHashers(['${missing.join("', '")}']) first`)
}

function digestsOfWhole(algorithms: readonly DigestAlgorithm[], bytes: Uint8Array): Digests {
  const values: Partial<Record<Algorithm, string>> = {}
  for (const algorithm of algorithms) values[algorithm] = toHex(digestOf(algorithm, bytes))
  return { size: bytes.length, values, composites: [] }
}

type Pieces = Feed<Digests>

function createPieces(
  algorithms: readonly DigestAlgorithm[],
  composites: readonly CompositeTarget[],
  size: number | undefined,
  lane: HashLane,
): Pieces {
  const combinable = algorithms.filter(isCombinable)
  const serial = algorithms.filter(algorithm => !isCombinable(algorithm))
  const crcFeed = combinable.length > 0 ? createCrcFeed(combinable, lane) : undefined
  const serialFeeds = serial.map(algorithm => createSerialFeed(algorithm, lane))
  const attempts = composites.map(target => createAttempt(target, size, lane))
  const feeds: Feed<unknown>[] = [...serialFeeds, ...attempts.flatMap(attempt => attempt.feeds)]
  if (crcFeed) feeds.push(crcFeed)

  const received = createSegments<undefined>(() => undefined)
  const pending = new Set<Promise<void>>()
  let failure: { readonly reason: unknown } | undefined
  const watch = (promise: Promise<void>) => {
    pending.add(promise)
    promise.then(
      () => pending.delete(promise),
      reason => {
        failure ??= { reason }
        pending.delete(promise)
      },
    )
    return promise
  }
  return {
    add(offset, bytes) {
      if (failure) return Promise.reject(failure.reason)
      received.add(offset, bytes.length, undefined)
      const done = whenAll(feeds.map(feed => feed.add(offset, bytes)))
      return done && watch(done)
    },
    async finish(total) {
      if (total > 0 ? !received.whole(total) : !received.isEmpty) throw incomplete(total)
      await Promise.allSettled(pending)
      if (failure) throw failure.reason
      const values: Partial<Record<Algorithm, string>> = {}
      const crcs = (await crcFeed?.finish(total)) ?? []
      for (const [index, algorithm] of combinable.entries()) values[algorithm] = crcs[index]!
      const digests = await Promise.all(serialFeeds.map(feed => feed.finish(total)))
      for (const [index, algorithm] of serial.entries()) values[algorithm] = toHex(digests[index]!)
      return { size: total, values, composites: await Promise.all(attempts.map(attempt => attempt.finish(total))) }
    },
    close() {
      for (const feed of feeds) feed.close()
    },
  }
}

interface Attempt {
  readonly feeds: readonly Feed<string>[]
  finish(size: number): Promise<CompositeAttempt>
}

function createAttempt(target: CompositeTarget, size: number | undefined, lane: HashLane): Attempt {
  const candidates = candidatesFor(target, size)
  const inPassing = candidates.slice(0, candidates.length > CANDIDATES_IN_PASSING ? 1 : candidates.length)
  const feeds = inPassing.map(partSize => createCompositeFeed(partAlgorithm(target.algorithm), partSize, lane))
  return {
    feeds,
    async finish(total) {
      const values = await Promise.all(feeds.map(feed => feed.finish(total)))
      const tried = inPassing.map((partSize, index) => ({ partSize, value: values[index]! }))
      const isSettled = values.includes(target.value) || partCount(target.value) === 1 || target.partSize !== undefined
      const untried = isSettled ? [] : candidatesFor(target, total).filter(partSize => !inPassing.includes(partSize))
      return { ...target, tried, untried }
    },
  }
}

function candidatesFor({ value, partSize }: CompositeTarget, size: number | undefined): readonly number[] {
  if (partSize !== undefined) return [partSize]
  const parts = partCount(value) ?? 1
  if (size !== undefined) return partSizeCandidates(size, parts)
  return parts === 1 ? [Number.MAX_SAFE_INTEGER] : []
}

function incomplete(size: number): TransferError {
  return new TransferError(
    'SizeMismatch',
    `Cannot finish the digests: all bytes from 0 to ${size} must have been added, and no others`,
    { expected: String(size) },
  )
}

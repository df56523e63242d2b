import type { CompositeAttempt, Digests } from './digests.ts'
import { matchingLayout, partAlgorithm } from './digests.ts'
import { createCompositeFeed } from './feeds.ts'
import { inlineLane } from './hash-lane.ts'

export interface SearchOptions {
  /** Fills `into` from its beginning with the content at `offset`. */
  readonly read: (offset: number, into: Uint8Array) => Promise<void>
  /** Most part sizes to try, each of which reads the whole content. Default: all. */
  readonly maxCandidates?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const READ_BYTES = 1_048_576

/**
 * Reads the content again to try the layouts that were too many to try in passing, most likely first (retrieval 11.3).
 * Stops at the first that gives the expected value. Rejects with the signal's reason, or as `read` does.
 */
export async function searchComposites(digests: Digests, options: SearchOptions): Promise<Digests> {
  const composites: CompositeAttempt[] = []
  for (const attempt of digests.composites) composites.push(await search(attempt, digests.size, options))
  return { ...digests, composites }
}

async function search(attempt: CompositeAttempt, size: number, options: SearchOptions): Promise<CompositeAttempt> {
  if (matchingLayout(attempt)) return attempt
  const tried = [...attempt.tried]
  for (const partSize of attempt.untried.slice(0, options.maxCandidates)) {
    const value = await compositeOfContent(attempt, partSize, size, options)
    tried.push({ partSize, value })
    if (value === attempt.value) return { ...attempt, tried, untried: [] }
  }
  return { ...attempt, tried, untried: attempt.untried.slice(options.maxCandidates ?? attempt.untried.length) }
}

async function compositeOfContent(
  { algorithm }: CompositeAttempt,
  partSize: number,
  size: number,
  { read, signal }: SearchOptions,
): Promise<string> {
  const feed = createCompositeFeed(partAlgorithm(algorithm), partSize, inlineLane)
  const buffer = new Uint8Array(Math.min(READ_BYTES, size))
  for (let offset = 0; offset < size; offset += buffer.length) {
    signal?.throwIfAborted()
    const bytes = buffer.subarray(0, Math.min(buffer.length, size - offset))
    await read(offset, bytes)
    feed.add(offset, bytes)
  }
  return feed.finish(size)
}

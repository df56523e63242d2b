import {
  algorithmOf,
  createPathHasher,
  type HashPool,
  loadPathFunctions,
  type PathDigests,
  type PathFunction,
  type PathHasher,
} from '@arriero/transfer'

/** Up to here bytes are hashed where they are: a message to a thread costs more. */
const INLINE_LIMIT = 1 << 20

/** Digests of a spool while it is written. Small ones here, large ones on the threads of the pool. */
export interface SpoolHash {
  readonly functions: readonly PathFunction[]
  /** The bytes must not change until it resolves. */
  update(bytes: Uint8Array): Promise<unknown> | undefined
  digests(): Promise<PathDigests>
  close(): void
}

/** @param size how much is to come, as far as known: what is small now may be the start of something large */
export async function createSpoolHash(
  functions: readonly PathFunction[],
  size: number,
  pool: HashPool,
): Promise<SpoolHash> {
  if (size > INLINE_LIMIT) return pooledHash(functions, pool)
  await loadPathFunctions(functions)
  return inlineHash(functions, createPathHasher(functions))
}

export function isInlineSize(size: number): boolean {
  return size <= INLINE_LIMIT
}

function inlineHash(functions: readonly PathFunction[], hasher: PathHasher): SpoolHash {
  return {
    functions,
    update(bytes) {
      hasher.update(bytes)
      return undefined
    },
    digests: async () => hasher.digests(),
    close() {},
  }
}

function pooledHash(functions: readonly PathFunction[], pool: HashPool): SpoolHash {
  const streams = functions.map(name => ({ name, stream: pool.open(algorithmOf(name)) }))
  return {
    functions,
    update: bytes => Promise.all(streams.map(({ stream }) => stream.update(bytes))),
    async digests() {
      const found = await Promise.all(
        streams.map(async ({ name, stream }) => [name, Buffer.from(await stream.digest()).toString('hex')] as const),
      )
      return Object.fromEntries(found)
    },
    close() {
      for (const { stream } of streams) stream.close()
    },
  }
}

/** One resource to fetch, with what the caller said made definite: parsed, defaulted, contradictions refused. */
import type { EngineParts } from './engine.ts'
import { TransferError } from './errors.ts'
import type { Hooks } from './hooks.ts'
import type { DigestAlgorithm } from './integrity/algorithms.ts'
import { isDigestAlgorithm } from './integrity/algorithms.ts'
import type { StatedChecksum } from './integrity/choose-expectations.ts'
import { formatChecksum, parseChecksum, parseChecksumArgument } from './integrity/parse-checksum.ts'
import { hashUri } from './journal.ts'
import { Places } from './move/places.ts'
import type { ChecksumInput, FetchOptions } from './options.ts'
import { redactUrl } from './redact.ts'
import type { Range } from './resource.ts'

export interface Task {
  readonly engine: EngineParts
  /** Unredacted: never print it. */
  readonly uri: string
  /** Redacted. */
  readonly shownUri: string
  readonly uriHash: string
  readonly options: FetchOptions
  readonly stated: readonly StatedChecksum[]
  /** Checksums from a manifest rather than from the caller. */
  readonly listed: readonly StatedChecksum[]
  readonly digests: readonly DigestAlgorithm[]
  readonly size: number | undefined
  readonly range: Range | undefined
  readonly hooks: Hooks | undefined
  /** Most connections for this resource. */
  readonly connections: number
  /** Bytes; undefined: adaptive. */
  readonly partSize: number | undefined
  readonly signal: AbortSignal
  /** @param isRaw content-coded bytes are wanted as they are sent */
  openPlaces(isRaw?: boolean): Promise<Places>
}

/** @throws TransferError Usage */
export function createTask(
  engine: EngineParts,
  uri: string,
  options: FetchOptions,
  { listed = [], signal }: { listed?: readonly StatedChecksum[]; signal?: AbortSignal } = {},
): Task {
  const { size, range, hooks, concurrency = 'auto', partSize = 'auto' } = options
  if (size !== undefined) assertCount('size', size, 0)
  if (concurrency !== 'auto') assertCount('concurrency', concurrency, 1)
  if (partSize !== 'auto') assertCount('part size', partSize, 1)
  if (range && !(range.start >= 0 && range.end > range.start)) {
    throw new TransferError('Usage', `Cannot fetch the range ${range.start}-${range.end}: it must not be empty`)
  }
  const stated = (options.checksums ?? []).map(readChecksum)
  const hasDigest = [...stated, ...listed].some(({ algorithm }) => algorithm !== 'null')
  // The lenient policy leans on a checksum; without one it would splice versions.
  const etagPolicy = options.etagPolicy === 'ignore-if-checksum' && !hasDigest ? 'strict' : options.etagPolicy
  return {
    engine,
    uri,
    shownUri: redactUrl(uri),
    // Only journals need it: not for every small file.
    get uriHash() {
      return hashUri(uri)
    },
    options,
    stated,
    listed,
    digests: (options.digests ?? []).filter(isDigestAlgorithm),
    size,
    range,
    hooks,
    connections: concurrency === 'auto' ? engine.connections : concurrency,
    partSize: partSize === 'auto' ? undefined : wholePages(partSize, engine.slots.budget),
    signal: signal ?? options.signal ?? neverAborted(),
    openPlaces: async (isRaw = false) => {
      const uris = [uri, ...(options.mirrors ?? [])]
      const keepEncoding = isRaw || options.keepEncoding
      return new Places(await engine.openSources(uris, { ...options, etagPolicy, keepEncoding }))
    },
  }
}

/** What goes into a journal: who continues must demand the same. */
export function statedChecksums({ stated, listed }: Pick<Task, 'stated' | 'listed'>): string[] {
  return [...stated, ...listed]
    .filter(({ algorithm }) => algorithm !== 'null')
    .map(checksum => formatChecksum(checksum))
}

/** Parts start on 4 KiB boundaries, so that they can go to the disk directly. */
export function wholePages(partSize: number, budget: number): number {
  return Math.min(Math.ceil(partSize / 4096) * 4096, budget)
}

function readChecksum(input: ChecksumInput): StatedChecksum {
  return typeof input === 'string' ? parseChecksumArgument(input) : parseChecksum(input.algorithm, input.value)
}

function assertCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new TransferError('Usage', `Cannot use ${value} as ${name}: it must be a whole number of at least ${least}`)
}

function neverAborted(): AbortSignal {
  return new AbortController().signal
}

/** One resource to fetch, with what the caller said made definite: parsed, defaulted, contradictions refused. */
import type { EngineParts } from './engine.ts'
import { TransferError } from './errors.ts'
import { FileHooks } from './hooks/file-hooks.ts'
import { activeHooks } from './hooks/open-hooks.ts'
import type { DigestAlgorithm } from './integrity/algorithms.ts'
import { isDigestAlgorithm } from './integrity/algorithms.ts'
import type { StatedChecksum } from './integrity/choose-expectations.ts'
import { formatChecksum, parseChecksum, parseChecksumArgument } from './integrity/parse-checksum.ts'
import { hashUri } from './journal.ts'
import { Places } from './move/places.ts'
import type { ChecksumInput, FetchOptions } from './options.ts'
import { redactUrl } from './redact.ts'
import type { Range } from './resource.ts'

/** What holds for this resource alone; options hold for all of a run. */
export interface Particulars {
  /** Checksums that a manifest states. */
  readonly listed?: readonly StatedChecksum[] | undefined
  readonly size?: number | undefined
  readonly range?: Range | undefined
  /** In place of those of the options. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly mirrors?: readonly string[] | undefined
  /** Its name need not come from the source. */
  readonly isNamed?: boolean | undefined
}

/** A list of a million files makes a million of these, and thousands wait for one group commit: they share their options. */
export class Task {
  readonly engine: EngineParts
  /** Unredacted: never print it. */
  readonly uri: string
  /** Redacted. */
  readonly shownUri: string
  readonly options: FetchOptions
  readonly stated: readonly StatedChecksum[]
  /** Checksums from a manifest rather than from the caller. */
  readonly listed: readonly StatedChecksum[]
  readonly digests: readonly DigestAlgorithm[]
  readonly size: number | undefined
  readonly range: Range | undefined
  readonly signal: AbortSignal
  readonly hooks: FileHooks | undefined
  readonly #mirrors: readonly string[]
  readonly #headers: Readonly<Record<string, string>> | undefined
  readonly #isNamed: boolean

  /** @throws TransferError Usage */
  constructor(engine: EngineParts, uri: string, options: FetchOptions, particulars: Particulars = {}) {
    const { size = options.size, range = options.range, mirrors = options.mirrors } = particulars
    const { concurrency = 'auto', partSize = 'auto' } = options
    if (size !== undefined) assertCount('size', size, 0)
    if (concurrency !== 'auto') assertCount('concurrency', concurrency, 1)
    if (partSize !== 'auto') assertCount('part size', partSize, 1)
    if (range && !(range.start >= 0 && range.end > range.start)) {
      throw new TransferError('Usage', `Cannot fetch the range ${range.start}-${range.end}: it must not be empty`)
    }
    this.engine = engine
    this.uri = uri
    this.shownUri = redactUrl(uri)
    this.options = options
    this.stated = options.checksums?.map(readChecksum) ?? NONE
    this.listed = particulars.listed ?? NONE
    this.digests = options.digests?.filter(isDigestAlgorithm) ?? NONE
    this.size = size
    this.range = range
    this.signal = options.signal ?? neverAborted()
    const hooks = activeHooks(options)
    this.hooks = hooks && new FileHooks(hooks, this.signal)
    this.#mirrors = mirrors ?? NONE
    this.#headers = particulars.headers
    this.#isNamed = particulars.isNamed ?? false
  }

  /** Only journals need it: it is not computed for every small file. */
  get uriHash(): string {
    return hashUri(this.uri)
  }

  /** Most connections for this resource. */
  get connections(): number {
    const { concurrency = 'auto' } = this.options
    return concurrency === 'auto' ? this.engine.connections : concurrency
  }

  /** Bytes; undefined: adaptive. */
  get partSize(): number | undefined {
    const { partSize = 'auto' } = this.options
    return partSize === 'auto' ? undefined : wholePages(partSize, this.engine.slots.budget)
  }

  /** @param isRaw content-coded bytes are wanted as they are sent */
  async openPlaces(isRaw = false): Promise<Places> {
    const options = this.#sourceOptions(isRaw)
    const isKnown = this.#isNamed && this.size !== undefined && this.#hasDigest && !this.options.trustCommons
    const uris = this.#mirrors.length > 0 ? [this.uri, ...this.#mirrors] : [this.uri]
    return new Places(await this.engine.openSources(uris, options, { isKnown, size: this.size, hooks: this.hooks }))
  }

  get #hasDigest(): boolean {
    return [this.stated, this.listed].some(stated => stated.some(({ algorithm }) => algorithm !== 'null'))
  }

  /** The options themselves wherever they hold as they are. */
  #sourceOptions(isRaw: boolean): FetchOptions {
    const { options } = this
    const headers = this.#headers ?? options.headers
    const keepEncoding = isRaw || options.keepEncoding
    // The lenient policy leans on a checksum; without one it would splice versions.
    const etagPolicy = options.etagPolicy === 'ignore-if-checksum' && !this.#hasDigest ? 'strict' : options.etagPolicy
    const isSame =
      headers === options.headers && keepEncoding === options.keepEncoding && etagPolicy === options.etagPolicy
    return isSame ? options : { ...options, headers, keepEncoding, etagPolicy }
  }
}

const NONE: readonly never[] = []

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

/**
 * Several places of one object, tried one after the other: the next is asked only when the one before cannot serve, and
 * is then asked for good. Bytes of two places are joined only if a digest of the whole will tell (reliability D).
 */
import { isRetriable, TransferError } from '../../errors.ts'
import type { Checksum, OfferedChecksum } from '../../integrity/checksum.ts'
import type { Resource } from '../../resource.ts'
import type { FetchRequest, Source, SourceCapabilities } from '../../source.ts'

/** One place, opened when its turn comes. */
export interface Origin {
  readonly key: string
  open(): Promise<Source>
  /** What the file is called there; asked when it is open and nobody else has named it. */
  name?(): string | undefined
}

/** What holds wherever the bytes come from. */
export interface Facts {
  readonly name?: string | undefined
  readonly size?: number | undefined
  readonly checksums: readonly Checksum[]
}

export interface FallbackOptions {
  readonly origins: readonly Origin[]
  /** All origins there are, when the given ones have failed. */
  readonly more?: (() => Promise<readonly Origin[]>) | undefined
  readonly facts?: Facts | undefined
  /** The caller compares a digest of the whole that it knows itself. */
  readonly isProven?: boolean | undefined
  /** Bytes from the origin with this key did not match. */
  distrust(key: string): void
}

/** Failures in a row, each after the engine's own patience, that make a place one that cannot serve. */
const MOST_FAILURES = 3

interface Candidate {
  readonly key: string
  readonly source: Source
  readonly name: string | undefined
  /** What this very place said: entity tags mean nothing elsewhere. */
  resource: Resource | undefined
  failures: number
}

export class FallbackSource implements Source {
  readonly uri: string
  readonly #options: FallbackOptions
  readonly #opened: Candidate[] = []
  readonly #tried = new Set<string>()
  #queue: readonly Origin[]
  #more: FallbackOptions['more']
  #current: Candidate | undefined
  #moving: Promise<boolean> | undefined
  #hasLanded = false
  #firstFailure: unknown

  constructor(uri: string, options: FallbackOptions) {
    this.uri = uri
    this.#options = options
    this.#queue = options.origins
    this.#more = options.more
  }

  /** Opens the first place that can be opened. Rejects with the first failure if none can. */
  async begin(): Promise<void> {
    let failure: unknown
    const note = (error: unknown) => {
      failure ??= error
    }
    if (!(await this.#openNext(note))) {
      throw failure ?? new TransferError('NotFound', `Cannot fetch ${this.uri}: there is no place to fetch it from`)
    }
  }

  get origin(): string {
    return this.#now.source.origin
  }

  get capabilities(): SourceCapabilities {
    return { ...this.#now.source.capabilities, list: false }
  }

  async probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    for (;;) {
      const asked = this.#now
      try {
        return this.#described(await asked.source.probe({ signal }))
      } catch (error) {
        if (signal.aborted || !(await this.#movedOn(asked, error))) throw this.#told(error)
      }
    }
  }

  async fetch(request: FetchRequest): Promise<void> {
    for (;;) {
      const asked = this.#now
      let isAnswered = false
      try {
        return await asked.source.fetch({
          ...request,
          expected: this.#expectedAt(asked, request.expected),
          answered: answer => {
            const resource = this.#described(answer.resource)
            asked.resource ??= answer.resource
            asked.failures = 0
            const landing = request.answered({ ...answer, resource })
            isAnswered = true
            this.#hasLanded = true
            return landing
          },
        })
      } catch (error) {
        if (request.signal.aborted || !(await this.#movedOn(asked, error))) throw this.#told(error)
        // What landed stays; the engine asks for the rest, and gets it from the next place.
        if (isAnswered) throw error instanceof TransferError ? error.with({ retriable: true }) : error
      }
    }
  }

  distrust(): boolean {
    this.#options.distrust(this.#now.key)
    return this.#queue.length > 0 || this.#more !== undefined
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map(({ source }) => source.close()))
  }

  get #now(): Candidate {
    if (!this.#current) throw new Error('begin() comes first')
    return this.#current
  }

  /** Whether another place is asked from now on. */
  async #movedOn(asked: Candidate, error: unknown): Promise<boolean> {
    if (asked !== this.#now) return true
    if (!isFinal(error) && ++asked.failures < MOST_FAILURES) return false
    if (isFinal(error)) this.#firstFailure ??= error
    if (this.#hasLanded && !this.#isWholeProven) return false
    this.#moving ??= this.#openNext(() => {}).finally(() => {
      this.#moving = undefined
    })
    return this.#moving
  }

  /** Where no place is left, what the preferred one said is the reason. */
  #told(error: unknown): unknown {
    return isFinal(error) ? (this.#firstFailure ?? error) : error
  }

  get #isWholeProven(): boolean {
    return this.#options.isProven === true || (this.#options.facts?.checksums.length ?? 0) > 0
  }

  async #openNext(failed: (error: unknown) => void): Promise<boolean> {
    for (;;) {
      const [origin, ...rest] = this.#queue
      this.#queue = rest
      if (!origin) {
        if (!this.#more) return false
        const more = this.#more
        this.#more = undefined
        try {
          this.#queue = (await more()).filter(({ key }) => !this.#tried.has(key))
        } catch (error) {
          failed(error)
          return false
        }
        continue
      }
      this.#tried.add(origin.key)
      try {
        const source = await origin.open()
        this.#current = { key: origin.key, source, name: origin.name?.(), resource: undefined, failures: 0 }
        this.#opened.push(this.#current)
        return true
      } catch (error) {
        failed(error)
      }
    }
  }

  /** The validators of this very place; of the object as such only the size. */
  #expectedAt(asked: Candidate, expected: Resource | undefined): Resource | undefined {
    if (asked.resource) return asked.resource
    return expected && { size: expected.size, ranges: expected.ranges, checksums: [] }
  }

  #described(resource: Resource): Resource {
    const { facts } = this.#options
    if (!facts) return resource
    const { size, checksums } = facts
    if (size !== undefined && resource.size !== undefined && size !== resource.size && !resource.isDecoded) {
      const message = `Cannot fetch ${this.uri}: the commons says ${size} bytes, where it leads has ${resource.size}`
      throw new TransferError('SizeMismatch', message, { expected: String(size), actual: String(resource.size) })
    }
    const offered = checksums.map(asOffered)
    const [first] = checksums
    return {
      ...resource,
      size: resource.size ?? size,
      name: facts.name ?? resource.name ?? this.#now.name,
      checksums: [...offered, ...resource.checksums],
      catalogued: { size, checksums },
      // The digest is the version, wherever the bytes are; entity tags differ from place to place.
      ...(first ? { version: `${first.algorithm}:${first.value}`, etag: undefined } : {}),
    }
  }
}

function asOffered(checksum: Checksum): OfferedChecksum {
  return { ...checksum, coverage: 'object', origin: 'the commons' }
}

/** Trying again at the same place would not help. */
function isFinal(error: unknown): boolean {
  return error instanceof TransferError && !isRetriable(error) && error.code !== 'RangeUnsupported'
}

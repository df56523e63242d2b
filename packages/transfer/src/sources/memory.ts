import { crc32 } from 'node:zlib'
import { abortable } from '../abortable.ts'
import { TransferError } from '../errors.ts'
import { pourNow } from '../http/pour.ts'
import type { Resource } from '../resource.ts'
import type { FetchRequest, Listed, ListRequest, Source } from '../source.ts'
import { boundsOf, changed, checkRange } from './local-answer.ts'

export interface MemorySourceOptions {
  /** Its name, and its key when the content is a map. Default `memory:/content`. */
  readonly uri?: string | undefined
  /** Parts can be read. Default true. */
  readonly hasRanges?: boolean | undefined
  /** The size is told before the end. Default true. */
  readonly hasSize?: boolean | undefined
  /** Most bytes poured before other work gets its turn. Default 64 KiB. */
  readonly chunkBytes?: number | undefined
}

/**
 * The source that needs no network: the twin of all others in tests. Content in a map changes its version when it is
 * replaced in the map, also in the middle of a fetch; absent content is NotFound.
 *
 * @example
 * ```ts
 * const files = new Map([['memory:/a', bytes]])
 * const source = createMemorySource(files, { uri: 'memory:/a' })
 * files.set('memory:/a', otherBytes) // the next answer is of another version
 * ```
 */
export function createMemorySource(
  content: Uint8Array | ReadonlyMap<string, Uint8Array>,
  options: MemorySourceOptions = {},
): Source {
  const { uri = 'memory:/content' } = options
  return new MemorySource(content instanceof Uint8Array ? new Map([[uri, content]]) : content, { ...options, uri })
}

class MemorySource implements Source {
  readonly uri: string
  readonly origin = 'memory:'
  readonly capabilities = { parallel: true, list: true } as const
  readonly #files: ReadonlyMap<string, Uint8Array>
  readonly #options: MemorySourceOptions
  readonly #versions = new WeakMap<Uint8Array, string>()

  constructor(files: ReadonlyMap<string, Uint8Array>, options: MemorySourceOptions & { uri: string }) {
    this.uri = options.uri
    this.#files = files
    this.#options = options
  }

  async probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    signal.throwIfAborted()
    return this.#describe(this.#content())
  }

  async fetch(request: FetchRequest): Promise<void> {
    const { signal } = request
    signal.throwIfAborted()
    checkRange(request.range, this.uri)
    const content = this.#content()
    const resource = this.#describe(content)
    const { start, end } = this.#bounds(request, resource, content.length)
    const isTold = resource.size !== undefined || request.range !== undefined
    const landing = request.answered({
      resource,
      start,
      end: isTold ? end : undefined,
      framing: isTold ? 'length' : 'chunked',
    })
    const { chunkBytes = 65_536 } = this.#options
    let position = start
    while (position < end && !landing.isComplete) {
      if (this.#files.get(this.uri) !== content) throw changed(this.uri, 'it is another version now')
      const taken = pourNow(landing, content.subarray(position, Math.min(end, position + chunkBytes)))
      position += taken
      if (taken === 0 && !landing.isComplete) await abortable(landing.whenRoom(), signal)
      else await new Promise(resolve => setImmediate(resolve))
      signal.throwIfAborted()
    }
  }

  async *list({ isRecursive, prefix = '', signal }: ListRequest): AsyncGenerator<readonly Listed[]> {
    signal.throwIfAborted()
    const found = new Map<string, Listed>()
    for (const [uri, content] of this.#files) {
      if (!uri.startsWith(this.uri + prefix) || uri === this.uri) continue
      const path = uri.slice(this.uri.length)
      const cut = isRecursive ? -1 : path.indexOf('/')
      const name = cut < 0 ? path : path.slice(0, cut + 1)
      const facts = cut < 0 ? { size: content.length } : {}
      found.set(name, { uri: this.uri + name, path: name, ...facts })
    }
    if (found.size > 0) yield [...found.values()]
  }

  async close(): Promise<void> {}

  #bounds(request: FetchRequest, resource: Resource, size: number) {
    if (this.#options.hasRanges ?? true) return boundsOf(request, resource, size, this.uri)
    if (request.range && request.range.start > 0) {
      throw new TransferError('RangeUnsupported', `Cannot fetch a part of ${this.uri}: it is only read whole`)
    }
    return boundsOf({ ...request, range: undefined }, resource, size, this.uri)
  }

  #content(): Uint8Array {
    const content = this.#files.get(this.uri)
    if (!content)
      throw new TransferError('NotFound', `Cannot fetch ${this.uri}: there is no such content`, { url: this.uri })
    return content
  }

  #describe(content: Uint8Array): Resource {
    const { hasRanges = true, hasSize = true } = this.#options
    let version = this.#versions.get(content)
    if (version === undefined) {
      // Of the content, not a counter: two sources of one map must agree.
      version = `${content.length}-${crc32(content).toString(16)}`
      this.#versions.set(content, version)
    }
    return { size: hasSize ? content.length : undefined, ranges: hasRanges ? 'yes' : 'no', version, checksums: [] }
  }
}

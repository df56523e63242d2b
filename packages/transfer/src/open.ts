import { Readable } from 'node:stream'
import { withCall } from './engine.ts'
import { endOfFetch, fetchInto, windowOf } from './iterate.ts'
import type { StreamOptions } from './options.ts'
import type { Resource } from './resource.ts'
import { createCallbackSink } from './sinks/callback.ts'
import { Channel } from './sinks/channel.ts'

/**
 * Reads a resource from its beginning to its end. What was read is proven only when the end was reached without an
 * error. Closing early cancels everything.
 */
export interface Reader extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly info: Resource
  /** Bytes; undefined when the source cannot say. */
  readonly size: number | undefined
  /**
   * The next bytes, at most `most` and at least one; shorter than `most` only where a part or the resource ends.
   * Undefined at the end. The view is valid until the next call.
   */
  read(most?: number): Promise<Uint8Array | undefined>
  /** Fills `into` as far as the resource reaches; returns the count, 0 at the end. */
  readInto(into: Uint8Array): Promise<number>
  close(): Promise<void>
  toReadable(): Readable
  toWeb(): ReadableStream<Uint8Array>
}

/** Opens a resource for reading; resolves when its size and version are known and bytes are on their way. */
export async function open(uri: string, options: StreamOptions = {}): Promise<Reader> {
  const channel = new Channel()
  const leave = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal
  const { promise: info, resolve, reject } = Promise.withResolvers<Resource>()
  const sink = createCallbackSink({ order: 'ascending', onChunk: ({ bytes }) => channel.send(bytes) })
  const fetching = withCall(
    { ...options, signal },
    (engine, opened) => fetchInto(engine, uri, opened, () => sink, windowOf(engine, options), resolve),
    endOfFetch,
  )
  fetching.then(
    () => channel.end(),
    error => {
      channel.fail(error)
      reject(error)
    },
  )
  const known = await info
  return new ChannelReader(known, channel, async reason => {
    leave.abort(reason)
    await fetching.catch(() => {})
  })
}

class ChannelReader implements Reader {
  readonly info: Resource
  readonly #channel: Channel
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>
  readonly #cancel: (reason: unknown) => Promise<void>
  #rest: Uint8Array = new Uint8Array(0)
  /** How it ended; a failure stays one, so that no later read can be taken for the end. */
  #end: { readonly error?: unknown } | undefined

  constructor(info: Resource, channel: Channel, cancel: (reason: unknown) => Promise<void>) {
    this.info = info
    this.#channel = channel
    this.#pieces = channel.bytes()
    this.#cancel = cancel
  }

  get size(): number | undefined {
    return this.info.size
  }

  async read(most = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0) {
      const next = await this.#next()
      if (!next) return undefined
      this.#rest = next
    }
    const bytes = this.#rest.subarray(0, Math.min(most, this.#rest.length))
    this.#rest = this.#rest.subarray(bytes.length)
    return bytes
  }

  async readInto(into: Uint8Array): Promise<number> {
    let count = 0
    while (count < into.length) {
      const bytes = await this.read(into.length - count)
      if (!bytes) break
      into.set(bytes, count)
      count += bytes.length
    }
    return count
  }

  async close(): Promise<void> {
    const reason = new DOMException('The reader was closed', 'AbortError')
    this.#end ??= { error: reason }
    this.#rest = new Uint8Array(0)
    // Lets go both what was received and what was not: the fetch cannot end before its memory is given back.
    this.#channel.fail(reason)
    await Promise.all([this.#pieces.return(), this.#cancel(reason)])
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      const next = this.#end ? undefined : await this.#pieces.next()
      if (next && !next.done) return next.value
      this.#end ??= {}
    } catch (error) {
      this.#end ??= { error }
    }
    if ('error' in this.#end) throw this.#end.error
    return undefined
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let bytes = await this.read(); bytes; bytes = await this.read()) yield bytes
    } finally {
      await this.close()
    }
  }

  toReadable(): Readable {
    // A stream keeps what it is given for longer than one step.
    return Readable.from(copies(this), { objectMode: false })
  }

  toWeb(): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.toReadable()) as ReadableStream<Uint8Array>
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function* copies(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const piece of bytes) yield Buffer.from(piece)
}

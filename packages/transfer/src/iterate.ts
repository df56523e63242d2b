/** Bytes for a program rather than for a disk: ordered, unordered, or all at once (retrieval 5). */
import { type EngineParts, withEngine } from './engine.ts'
import { type Fetched, type FetchParts, fetchResource } from './fetch-resource.ts'
import { initialPartSize } from './limits/part-size.ts'
import type { FetchOptions, ReadOptions, StreamOptions } from './options.ts'
import type { Resource } from './resource.ts'
import type { Sink } from './sink.ts'
import { createCallbackSink } from './sinks/callback.ts'
import { Channel } from './sinks/channel.ts'
import { createMemorySink } from './sinks/memory.ts'
import { Task, wholePages } from './task.ts'

/** Parts that may wait for the consumer unless told otherwise. */
const READ_AHEAD_PARTS = 8
const MAX_MEMORY = 1 << 30

/** A piece of an unordered iteration. */
export interface Piece {
  /** `offset` divided by the part size; each comes once. */
  readonly index: number
  readonly offset: number
  readonly data: Uint8Array
}

/**
 * The bytes of a resource, ascending and gap-free. They are proven only when the iteration has ended: a mismatch makes
 * its last step throw. A view is valid until the next step unless `copy` is set. Leaving early cancels everything.
 */
export async function* iterate(uri: string, options: StreamOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  const channel = new Channel()
  const sink = createCallbackSink({ order: 'ascending', onChunk: ({ bytes }) => channel.send(bytes) })
  yield* received(
    channel,
    uri,
    options,
    () => ({ sink, options }),
    bytes => (options.copy ? bytes.slice() : bytes),
  )
}

/** The bytes of a resource in the order in which they arrive, each once. Otherwise like `iterate`. */
export async function* iterateUnordered(
  uri: string,
  options: StreamOptions = {},
): AsyncGenerator<Piece, void, undefined> {
  const channel = new Channel<Piece>()
  const begin = (engine: EngineParts) => {
    // Parts that grow on the way could not be numbered.
    const partSize = partSizeOf(engine, options)
    const sink = createCallbackSink({
      order: 'any',
      onChunk: ({ offset, bytes }) => channel.send({ index: Math.floor(offset / partSize), offset, data: bytes }),
    })
    return { sink, options: { ...options, partSize } }
  }
  const copied = (piece: Piece) => (options.copy ? { ...piece, data: piece.data.slice() } : piece)
  yield* received(channel, uri, options, begin, copied)
}

/**
 * The whole resource in memory, verified before it is returned.
 *
 * @throws TransferError Usage when it is larger than `maxMemoryBytes`
 */
export async function readAll(uri: string, options: ReadOptions = {}): Promise<Uint8Array> {
  const sink = () => createMemorySink({ maxBytes: options.maxMemoryBytes ?? MAX_MEMORY })
  return withEngine(options, async engine => (await fetchInto(engine, uri, options, sink)).result)
}

/**
 * Calls `onChunk` for every run of bytes; a promise that it returns is back-pressure. The bytes are proven only when
 * the result is there.
 */
export function consume(
  uri: string,
  onChunk: (chunk: { readonly offset: number; readonly bytes: Uint8Array }) => Promise<void> | undefined,
  options: StreamOptions & { readonly order?: 'any' | 'ascending' } = {},
): Promise<Fetched<void>> {
  const sink = createCallbackSink({ order: options.order ?? 'ascending', onChunk })
  return withEngine(options, engine => fetchInto(engine, uri, options, () => sink, windowOf(engine, options)))
}

/** Runs a fetch whose sink feeds the channel, and hands on what comes out of it. */
async function* received<T>(
  channel: Channel<T>,
  uri: string,
  { signal: given, ...options }: StreamOptions,
  begin: (engine: EngineParts) => { readonly sink: Sink<void>; readonly options: StreamOptions },
  give: (item: T) => T,
): AsyncGenerator<T, void, undefined> {
  const leave = new AbortController()
  const signal = given ? AbortSignal.any([given, leave.signal]) : leave.signal
  const fetching = withEngine(options, engine => {
    const begun = begin(engine)
    return fetchInto(engine, uri, { ...begun.options, signal }, () => begun.sink, windowOf(engine, begun.options))
  })
  fetching.then(
    () => channel.end(),
    error => channel.fail(error),
  )
  try {
    for await (const item of channel.bytes()) yield give(item)
  } finally {
    leave.abort(new DOMException('The consumer left', 'AbortError'))
    await fetching.catch(() => {})
  }
}

/** At most half of the memory, so that one reader leaves room for others. */
export function windowOf(engine: EngineParts, options: StreamOptions): number {
  const part = partSizeOf(engine, options)
  return Math.max(part, Math.min(options.readAhead ?? READ_AHEAD_PARTS * part, engine.slots.budget / 2))
}

/** Bytes per part as asked for, or what parts begin with. */
function partSizeOf(engine: EngineParts, { partSize = 'auto' }: StreamOptions): number {
  return partSize === 'auto' ? initialPartSize(engine.workingSet.size) : wholePages(partSize, engine.slots.budget)
}

/** One fetch without a file, counted like any other. */
export async function fetchInto<Result>(
  engine: EngineParts,
  uri: string,
  options: FetchOptions,
  open: () => Sink<Result>,
  window?: number,
  onResource?: (resource: Resource) => void,
): Promise<Fetched<Result>> {
  const task = new Task(engine, uri, options)
  const file = engine.progress.start(task.shownUri, task.size)
  try {
    const fetched = await fetchResource(task, (): FetchParts<Result> => ({ sink: open(), file, window, onResource }))
    engine.progress.sized(file, fetched.verification.size)
    engine.progress.finish(file, 'done')
    return fetched
  } catch (error) {
    engine.progress.finish(file, 'failed')
    throw error
  }
}

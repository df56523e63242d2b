/** Bytes for a program rather than for a disk: ordered, unordered, or all at once (retrieval 5). */
import { type EngineParts, withCall } from './engine.ts'
import { type Fetched, type FetchParts, fetchResource } from './fetch-resource.ts'
import type { ActiveHooks } from './hooks/active-hooks.ts'
import { endOfOne, tellDone, tellFailed } from './hooks/ends.ts'
import { activeHooks, type Ended } from './hooks/open-hooks.ts'
import type { RunEnd } from './hooks.ts'
import { initialPartSize } from './limits/part-size.ts'
import type { FetchOptions, ReadOptions, StreamOptions } from './options.ts'
import type { Resource } from './resource.ts'
import type { Sink } from './sink.ts'
import { createCallbackSink } from './sinks/callback.ts'
import { Channel } from './sinks/channel.ts'
import { createMemorySink } from './sinks/memory.ts'
import { transformed } from './sinks/transform.ts'
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
  const begin = (engine: EngineParts, hooks: ActiveHooks | undefined) => {
    // Parts that grow on the way could not be numbered. What a pass makes is numbered as it comes.
    const partSize = partSizeOf(engine, options)
    const isPassed = hooks?.has('transform') === true
    let count = 0
    const sink = createCallbackSink({
      order: 'any',
      onChunk: ({ offset, bytes }) => {
        const index = isPassed ? count++ : Math.floor(offset / partSize)
        return channel.send({ index, offset, data: bytes })
      },
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
  return withCall(
    options,
    async (engine, opened) => (await fetchInto(engine, uri, opened, sink)).result,
    ended => endOfOne('result' in ended ? ended.result.length : undefined),
  )
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
  return withCall(
    options,
    (engine, opened) => fetchInto(engine, uri, opened, () => sink, windowOf(engine, options)),
    endOfFetch,
  )
}

/** Runs a fetch whose sink feeds the channel, and hands on what comes out of it. */
async function* received<T>(
  channel: Channel<T>,
  uri: string,
  { signal: given, ...options }: StreamOptions,
  begin: (
    engine: EngineParts,
    hooks: ActiveHooks | undefined,
  ) => { readonly sink: Sink<void>; readonly options: StreamOptions },
  give: (item: T) => T,
): AsyncGenerator<T, void, undefined> {
  const leave = new AbortController()
  const signal = given ? AbortSignal.any([given, leave.signal]) : leave.signal
  const fetching = withCall(
    { ...options, signal },
    (engine, opened) => {
      const begun = begin(engine, activeHooks(opened))
      const asked = { ...begun.options, ...opened, partSize: begun.options.partSize }
      return fetchInto(engine, uri, asked, () => begun.sink, windowOf(engine, begun.options))
    },
    endOfFetch,
  )
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

/** What `onDone` is told of a fetch without a file. */
export function endOfFetch(ended: Ended<Fetched<unknown>>): RunEnd {
  return endOfOne('result' in ended ? ended.result.verification.size : undefined)
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
  let isTold = false
  try {
    const fetched = await fetchResource(task, (hooks): FetchParts<Result> => {
      return { sink: transformed(open(), hooks, task.signal), file, window, onResource }
    })
    isTold = true
    const { verification } = fetched
    await tellDone(task, undefined, { error: undefined, bytes: verification.size, verification })
    engine.progress.sized(file, fetched.verification.size)
    engine.progress.finish(file, 'done')
    return fetched
  } catch (error) {
    engine.progress.finish(file, 'failed')
    if (!isTold) await tellFailed(task, undefined, error, file.received)
    throw error
  }
}

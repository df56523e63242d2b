/**
 * Fetch and compute: items of a list go through stages, many at once, each stage at its own pace (design 1; retrieval 3).
 *
 * A pipeline is a description. It holds no state and may run several times; nothing happens before `run` or `start`.
 */
import { createEngine } from '../engine.ts'
import { TransferError } from '../errors.ts'
import { ResultQueue } from '../result-queue.ts'
import type { ItemContext, ThreadContext, Written } from './item.ts'
import type { Located } from './located.ts'
import type { RunOptions } from './options.ts'
import { PipelineProgress } from './progress.ts'
import type { ItemResult, PipelineSummary } from './results.ts'
import type { Ended, StageDefinition, StageOptions } from './stage.ts'
import { append } from './stages/append.ts'
import { fetchStage } from './stages/fetch.ts'
import type { FetchToFiles, FetchToMemory } from './stages/fetch-options.ts'
import type { FetchedFile } from './stages/fetch-to-files.ts'
import type { FetchedBytes } from './stages/fetch-to-memory.ts'
import { filter } from './stages/filter.ts'
import { locate } from './stages/locate.ts'
import { mapHere } from './stages/map.ts'
import { mapInThreads } from './stages/map-in-threads.ts'
import { type WriteOptions, write } from './stages/write.ts'

/** What a pipeline works on: anything that can be iterated, or a function that makes it, for more than one run. */
export type List<Item> = Source<Item> | (() => Source<Item>)
type Source<Item> = Iterable<Item> | AsyncIterable<Item>

/** Options of `pipeline()`. */
export interface PipelineOptions<Item> {
  /**
   * What tells an item from the others, also in a later run of a list that has grown or changed its order. Default: the item
   * as JSON; of a name of a listing its URI.
   */
  readonly key?: ((item: Item) => string) | undefined
}

/** What a function of a stage may give: a value, or a promise of it; `drop()` where there is nothing to do. */
type Given<Value> = Value | Ended | Promise<Value | Ended>
type Step<Item, Value, Next> = (value: Value, item: ItemContext<Item>) => Given<Next>

/** What `locate` may give. */
export type Place = string | URL | Located

/** The function that a module exports for `map`: it runs in a thread and has no engine. */
export type ThreadFunction<Value, Next, Item = unknown> = (value: Value, item: ThreadContext<Item>) => Given<Next>

/** A pipeline that has its last stage. */
export interface CompletePipeline<Item, Value> {
  /** Its stages, as `arriero run --list` shows them. */
  readonly stages: readonly Pick<StageDefinition, 'name' | 'kind' | 'about' | 'options'>[]
  /**
   * Does the whole list. Failures of single items are counted and told to `onResult`; they reject nothing.
   *
   * @throws TransferError when the run itself cannot go on: the list fails, the state cannot be written, a module is not there
   */
  run(
    options?: RunOptions & { onResult?(result: ItemResult<Item, Value>): void | Promise<void> },
  ): Promise<PipelineSummary>
  /** The same, with the results to iterate. Who leaves early ends the run. */
  start(options?: RunOptions): PipelineRun<Item, Value>
}

/** Results, once each, what they add up to, and how far it is. */
export interface PipelineRun<Item, Value> extends AsyncIterable<ItemResult<Item, Value>> {
  readonly progress: PipelineProgress
  /** Resolves when the iteration has ended, also when it was left early. */
  readonly summary: Promise<PipelineSummary>
}

export interface Pipeline<Item, Value> extends CompletePipeline<Item, Value> {
  /** Keeps items for which `fn` gives true; the others end as `dropped`. */
  filter(fn: Step<Item, Value, boolean>, options?: StageOptions): Pipeline<Item, Value>
  /** Another value for each item, by a function that runs here: for waiting, and for little work. */
  map<Next>(fn: Step<Item, Value, Next>, options?: StageOptions): Pipeline<Item, Awaited<Next>>
  /**
   * Another value for each item, by an export of a module that runs in threads: for work that takes time. It gets bytes as
   * shared memory. Name the function's type for its result: `map<typeof clean>(new URL('./clean.ts', import.meta.url), 'clean')`.
   *
   * @param module `file:` URL or absolute path
   */
  map<Fn extends (value: Value, item: never) => unknown>(
    module: URL | string,
    exported: string,
    options?: StageOptions,
  ): Pipeline<Item, Exclude<Awaited<ReturnType<Fn>>, Ended>>
  /** Says where an item's content is; may ask a server, e.g. with `list(…, { engine: item.engine })`. */
  locate(fn: Step<Item, Value, Place>, options?: StageOptions): Pipeline<Item, Located>
  /** Fetches what the value names: a URL, an entry of a manifest, a name of a listing, or what `locate` gave. */
  fetch(options: FetchToFiles): Pipeline<Item, FetchedFile>
  fetch(options?: FetchToMemory): Pipeline<Item, FetchedBytes>
  /** Writes each item's bytes or text to a file of its own, which appears whole and durable or not at all. */
  write(target: (value: Value, item: ItemContext<Item>) => string, options?: WriteOptions): Pipeline<Item, Written>
  /**
   * Adds a line for each item to one file: a text or bytes as they are, anything else as JSON. The last stage. With a state
   * each item has its line exactly once, whatever kills the run.
   */
  append(path: string, options?: StageOptions): CompletePipeline<Item, Value>
}

/**
 * Begins a pipeline.
 *
 * @example
 * ```ts
 * import { pipeline } from '@arriero/transfer'
 *
 * const summary = await pipeline(['418', '1670'])
 *   .locate(number => `https://data.example.org/books/${number}.txt`)
 *   .fetch()
 *   .map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
 *   .write((_, { item }) => `${item}-utf8.txt`, { directory: 'books' })
 *   .run({ state: 'books/state.jsonl' })
 * console.log(summary.done, summary.failed)
 * ```
 */
export function pipeline<Item>(list: List<Item>, options: PipelineOptions<Item> = {}): Pipeline<Item, Item> {
  return new Builder(list as List<unknown>, options as PipelineOptions<unknown>, []) as unknown as Pipeline<Item, Item>
}

type AnyFunction = (value: never, item: ItemContext<never>) => unknown

class Builder implements CompletePipeline<unknown, unknown> {
  readonly #list: List<unknown>
  readonly #options: PipelineOptions<unknown>
  readonly stages: readonly StageDefinition[]

  constructor(list: List<unknown>, options: PipelineOptions<unknown>, stages: readonly StageDefinition[]) {
    this.#list = list
    this.#options = options
    this.stages = stages
  }

  filter(fn: AnyFunction, options: StageOptions = {}): Builder {
    return this.#with('filter', fn.name, options, name => filter(fn, name, options))
  }

  map(first: AnyFunction | string | URL, second: string | StageOptions = {}, third: StageOptions = {}): Builder {
    if (typeof first === 'function') {
      const options = second as StageOptions
      return this.#with('map', first.name, options, name => mapHere(first, name, options))
    }
    const exported = second as string
    return this.#with('map', exported, third, name => mapInThreads(first, exported, name, third))
  }

  locate(fn: AnyFunction, options: StageOptions = {}): Builder {
    return this.#with('locate', '', options, name => locate(fn, name, options))
  }

  fetch(options: FetchToMemory | FetchToFiles = {}): Builder {
    return this.#with('fetch', '', options, name => fetchStage(name, options))
  }

  write(target: (value: never, item: ItemContext<never>) => string, options: WriteOptions = {}): Builder {
    return this.#with('write', '', options, name => write(target, name, options))
  }

  append(path: string, options: StageOptions = {}): CompletePipeline<unknown, unknown> {
    return this.#with('append', '', options, name => append(path, name, options))
  }

  async run({
    onResult,
    ...options
  }: RunOptions & { onResult?(result: ItemResult): void | Promise<void> } = {}): Promise<PipelineSummary> {
    const run = this.start(options)
    for await (const result of run) await onResult?.(result)
    return run.summary
  }

  start(options: RunOptions = {}): PipelineRun<unknown, unknown> {
    const { promise: summary, resolve, reject } = Promise.withResolvers<PipelineSummary>()
    summary.catch(() => {})
    const progress = new PipelineProgress(this.stages.map(({ name }) => name))
    const parts = {
      list: () => iterated(this.#list),
      key: this.#options.key as ((item: never) => string) | undefined,
      definitions: this.stages,
      progress,
    }
    return {
      progress,
      summary,
      async *[Symbol.asyncIterator]() {
        const results = new ResultQueue<ItemResult>(options.resultOrder ?? 'completed')
        let hasLeft = false
        const own = options.engine ? undefined : createEngine()
        // Loaded when it is needed: most who use the library run no pipeline.
        const { Run } = await import('./run.ts')
        const run = new Run({ ...parts, options: { ...options, engine: options.engine ?? own } }, results)
        const running = run.run().finally(() => own?.close())
        running.then(
          total => {
            results.end()
            resolve(total)
          },
          error => {
            results.fail(error)
            if (hasLeft && !options.signal?.aborted) resolve(run.summary)
            else reject(error)
          },
        )
        try {
          yield* results.take()
        } finally {
          hasLeft = true
          run.leave()
          await running.catch(() => {})
        }
      },
    }
  }

  /** Two stages of one name could not be told apart in a message. */
  #with(kind: string, called: string, { name }: StageOptions, make: (name: string) => StageDefinition): Builder {
    const wanted = name ?? (called === '' ? kind : `${kind} ${called}`)
    const isTaken = (text: string) => this.stages.some(stage => stage.name === text)
    if (name !== undefined && isTaken(name)) throw new TransferError('Usage', `Two stages are called ${name}`)
    let free = wanted
    for (let number = 2; isTaken(free); number++) free = `${wanted} ${number}`
    return new Builder(this.#list, this.#options, [...this.stages, make(free)])
  }
}

function iterated(list: List<unknown>): Iterable<unknown> | AsyncIterable<unknown> {
  const made: unknown = typeof list === 'function' ? list() : list
  if (typeof made === 'string' || !isIterable(made)) {
    throw new TransferError('Usage', 'Cannot run the pipeline: its list must be iterable, e.g. an array or a generator')
  }
  return made
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return value !== null && typeof value === 'object' && (Symbol.iterator in value || Symbol.asyncIterator in value)
}

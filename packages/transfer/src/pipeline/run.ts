/**
 * One run of a pipeline:
 *
 *     open      the state, the engine and every stage; what is wrong with one of them ends it before the first item
 *     admit     the next item of the list while there is room; what an earlier run did is passed over
 *     schedule  stages, as schedule.ts has it
 *     commit    a done item is written down, with others, before its end is told
 *     tell      every item exactly once; a consumer that does not take results stops admission
 */
import { setImmediate } from 'node:timers/promises'
import { abortable } from '../abortable.ts'
import { type EngineParts, partsOf } from '../engine.ts'
import type { ResultQueue } from '../result-queue.ts'
import { Commits } from './commits.ts'
import { placed, placeOf, stageError } from './failure.ts'
import { ItemInFlight, labelOf } from './item.ts'
import { keyOf } from './key.ts'
import { Memory } from './memory.ts'
import type { RunOptions } from './options.ts'
import type { PipelineProgress } from './progress.ts'
import type { ItemResult, PipelineSummary } from './results.ts'
import { Schedule } from './schedule.ts'
import { type Ended, isThenable, type Stage, type StageDefinition } from './stage.ts'
import { openState } from './state/open-state.ts'
import type { PipelineState, StateRecord } from './state/state.ts'

export interface RunParts {
  readonly list: () => Iterable<unknown> | AsyncIterable<unknown>
  readonly key: ((item: never) => string) | undefined
  readonly definitions: readonly StageDefinition[]
  readonly options: RunOptions
  readonly progress: PipelineProgress
}

type End = { readonly ended?: Ended } | { readonly error: unknown; readonly stage: string }

/** Items under way unless told otherwise: enough that a group of them shares the price of a sync. */
const MOST_ITEMS = 512
/** Longest time for which items are admitted without a pause, ms. */
const TURN_MS = 10

export class Run {
  readonly #p: RunParts
  readonly #engine: EngineParts
  readonly #results: ResultQueue<ItemResult>
  readonly #leave = new AbortController()
  readonly #signal: AbortSignal
  readonly #inFlight = new Map<number, ItemInFlight>()
  readonly #memory: Memory
  readonly #most: number
  readonly #startedAt: number
  #state: PipelineState | undefined
  #commits: Commits | undefined
  #schedule: Schedule | undefined
  #isStopped = false
  #isComplete = false
  #fatal: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(parts: RunParts, results: ResultQueue<ItemResult>) {
    const { options } = parts
    this.#p = parts
    this.#engine = partsOf(options.engine as NonNullable<RunOptions['engine']>)
    this.#results = results
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#leave.signal]) : this.#leave.signal
    this.#startedAt = this.#engine.clock.now()
    this.#most = options.maxItems ?? MOST_ITEMS
    this.#memory = new Memory({
      limit: options.maxBytes ?? this.#engine.slots.budget,
      isForemost: item => this.#isForemost(item) && results.readyBytes === 0,
      onChange: held => {
        parts.progress.heldBytes = held
      },
      onRoom: () => this.#schedule?.resume(),
    })
    results.onTaken = bytes => {
      if (bytes > 0) this.#memory.give(bytes)
      this.#wakeUp()
    }
  }

  /** What was done so far. */
  get summary(): PipelineSummary {
    const { listed: items, done, skipped, unchanged, dropped, failed, stages } = this.#p.progress
    const totalMs = this.#engine.clock.now() - this.#startedAt
    return { items, done, skipped, unchanged, dropped, failed, isStopped: !this.#isComplete, totalMs, stages }
  }

  /** The consumer takes no more. */
  leave(): void {
    this.#leave.abort(new DOMException('The consumer left', 'AbortError'))
  }

  async run(): Promise<PipelineSummary> {
    const onAbort = () => this.#stop()
    this.#signal.addEventListener('abort', onAbort, { once: true })
    let isComplete = false
    try {
      this.#signal.throwIfAborted()
      await this.#open()
      await this.#admitAll()
      isComplete = !this.#isStopped
    } finally {
      this.#signal.removeEventListener('abort', onAbort)
      this.#stop()
      await this.#settled()
      await this.#commits?.settled()
      // The end of the appended output may be what fails.
      await this.#state?.close(isComplete && !this.#fatal && !this.#signal.aborted)
    }
    this.#signal.throwIfAborted()
    if (this.#fatal) throw this.#fatal.error
    this.#isComplete = isComplete
    return this.summary
  }

  async #open(): Promise<void> {
    const stages: Stage[] = []
    const { definitions, options, progress } = this.#p
    const run = { engine: this.#engine, signal: this.#signal, fetch: options.fetch ?? {}, memory: this.#memory }
    // In this order: a stage that cannot work must not leave an empty state behind.
    for (const definition of definitions) stages.push(await definition.start(run))
    this.#state = await openState(definitions, options, this.#engine)
    this.#commits = new Commits(this.#state)
    const joined = definitions.map((definition, at) => ({
      definition,
      stage: stages[at] as Stage,
      progress: progress.stages[at] as PipelineProgress['stages'][number],
    }))
    const { clock, random } = this.#engine
    this.#schedule = new Schedule(joined, {
      clock,
      random,
      memory: this.#memory,
      isForemost: item => this.#isForemost(item),
      onEnd: (item, end) => this.#ended(item, end),
    })
  }

  // The list

  async #admitAll(): Promise<void> {
    const list = this.#p.list()
    const isAsync = Symbol.asyncIterator in list
    const iterator = isAsync ? list[Symbol.asyncIterator]() : list[Symbol.iterator]()
    let isOver = false
    let turnAt = this.#engine.clock.now()
    try {
      for (let index = 0; !this.#isStopped; index++) {
        if (!this.#hasRoom) await this.#room()
        if (this.#isStopped) break
        // A list in memory is read without a pause for each of its items.
        const step = this.#step(iterator, index, isAsync)
        const { done, value } = isThenable(step) ? await step : step
        isOver = done === true
        if (isOver) break
        this.#admit(value, index)
        if (this.#engine.clock.now() - turnAt < TURN_MS) continue
        // Stages that answer at once would otherwise keep everything else waiting until the list ends.
        await setImmediate()
        turnAt = this.#engine.clock.now()
      }
    } catch (error) {
      isOver = !this.#signal.aborted
      this.#fail(error)
    } finally {
      // Not waited for: it may be waiting itself.
      if (!isOver) Promise.resolve(iterator.return?.()).catch(() => {})
    }
    this.#p.progress.isListed = isOver
    await this.#settled()
  }

  /** The list is the caller's code: what it throws is told with its place. */
  #step(
    iterator: Iterator<unknown> | AsyncIterator<unknown>,
    index: number,
    isAsync: boolean,
  ): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    const fail = (error: unknown): never => {
      this.#signal.throwIfAborted()
      throw placed(stageError(error, `list, item ${index + 1}`), error)
    }
    try {
      const step = iterator.next()
      return isAsync
        ? abortable(Promise.resolve(step as Promise<IteratorResult<unknown>>), this.#signal).catch(fail)
        : (step as IteratorResult<unknown>)
    } catch (error) {
      return fail(error)
    }
  }

  get #hasRoom(): boolean {
    return this.#inFlight.size + this.#results.waiting < this.#most
  }

  async #room(): Promise<void> {
    while (!this.#hasRoom && !this.#isStopped) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #admit(value: unknown, index: number): void {
    const { progress, options, key } = this.#p
    progress.listed++
    const state = this.#state as PipelineState
    const name = keyOf(value, index, key, options.state !== undefined)
    const { nth, record } = state.find(name)
    if (record && !(options.recheck && mayHaveChanged(record))) {
      progress.skipped++
      this.#schedule?.pass(index)
      this.#results.push(index, {
        item: value,
        index,
        key: name,
        warnings: [],
        ok: true,
        status: 'skipped',
        reason: record.reason,
      })
      return
    }
    const item = new ItemInFlight(value, index, name, options.engine as never, this.#signal, record)
    item.nth = nth
    item.readyAt = this.#engine.clock.now()
    this.#inFlight.set(index, item)
    progress.inFlight = this.#inFlight.size
    this.#schedule?.enter(item)
  }

  /** The list is admitted in order: no item under way came before the first one of the map. */
  #isForemost(item: ItemInFlight): boolean {
    return this.#inFlight.keys().next().value === item.index
  }

  // Ends

  #ended(item: ItemInFlight, end: End): void {
    if ('error' in end) return this.#failed(item, end.error, end.stage)
    const { ended } = end
    if (this.#isWritten(item, ended)) return this.#done(item, ended)
    const { key, nth, outputs, version, line } = item
    const status = ended ? 'dropped' : 'done'
    const record = { key, nth: nth === 1 ? undefined : nth, status, reason: ended?.reason, outputs, version } as const
    const commit = { record: outputs.length > 0 ? record : { ...record, outputs: undefined }, line }
    ;(this.#commits as Commits).add(commit).then(
      () => this.#done(item, ended),
      error => {
        // Whatever is done now could not be written down: nothing more is begun.
        this.#fail(error)
        this.#failed(item, error, 'state')
      },
    )
  }

  /** Nothing needs to be written down of it. */
  #isWritten({ line, earlier }: ItemInFlight, ended: Ended | undefined): boolean {
    if (line) return false
    if (!this.#p.options.state || ended?.status === 'unchanged') return true
    return ended !== undefined && earlier?.status === 'dropped' && earlier.reason === ended.reason
  }

  #done(item: ItemInFlight, ended: Ended | undefined): void {
    const { progress } = this.#p
    const { index, key, warnings, value } = item
    const status = ended?.status ?? 'done'
    progress[status]++
    const told = { item: item.item, index, key, warnings, ok: true as const }
    if (ended) this.#told(item, { ...told, status: ended.status, reason: ended.reason })
    else this.#told(item, { ...told, status: 'done', value })
  }

  #failed(item: ItemInFlight, thrown: unknown, stage: string): void {
    const { options, progress } = this.#p
    // What an interrupted run gave up has not failed.
    if (this.#signal.aborted) return this.#gone(item)
    progress.failed++
    const { index, key, warnings, attempt: attempts } = item
    const error = stageError(thrown, `${stage}, item ${index + 1} (${labelOf(item.item)})`)
    const at = placeOf(thrown)
    this.#told(item, { item: item.item, index, key, warnings, ok: false, status: 'failed', stage, attempts, error, at })
    if (options.onError === 'stop' || progress.failed > (options.maxFailures ?? Number.POSITIVE_INFINITY)) this.#stop()
  }

  #told(item: ItemInFlight, result: ItemResult): void {
    this.#results.push(result.index, result, result.status === 'done' ? this.#memory.handOver(item) : 0)
    this.#gone(item)
  }

  #gone(item: ItemInFlight): void {
    const wasForemost = this.#isForemost(item)
    this.#inFlight.delete(item.index)
    this.#p.progress.inFlight = this.#inFlight.size
    this.#memory.hold(item, 0)
    item.isOver = true
    if (wasForemost) this.#schedule?.resume()
    this.#wakeUp()
    if (this.#inFlight.size === 0) this.#idle?.()
  }

  #idle: (() => void) | undefined

  async #settled(): Promise<void> {
    while (this.#inFlight.size > 0) {
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
    }
  }

  /** Nothing more is begun. */
  #stop(): void {
    this.#isStopped = true
    this.#wakeUp()
    if (this.#signal.aborted) this.#schedule?.resume()
  }

  #fail(error: unknown): void {
    this.#fatal ??= { error }
    this.#stop()
  }
}

/** Of what was made of a version that is known, or of nothing, it pays to ask again. */
function mayHaveChanged({ status, version }: StateRecord): boolean {
  return status === 'dropped' || version !== undefined
}

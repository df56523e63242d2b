/**
 * Items through stages. Every stage works on up to its own number of items at once; what is ready for the next stage waits
 * there, and how many items are under way altogether is limited by who admits them. So a slow stage soon has them all, and
 * nothing before it begins more: that is the back-pressure. With no queue that can be full, nothing can wait in a circle.
 */
import type { Clock } from '../clock.ts'
import { Queue } from '../queue.ts'
import { Turnstile } from '../turnstile.ts'
import { attempt } from './attempt.ts'
import type { ItemInFlight } from './item.ts'
import { bytesIn } from './item-bytes.ts'
import type { Memory } from './memory.ts'
import type { StageProgress } from './progress.ts'
import { Ended, isThenable, type Stage, type StageDefinition } from './stage.ts'

export interface ScheduleOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly memory: Memory
  /** No item under way came before it in the list. */
  isForemost(item: ItemInFlight): boolean
  /** An item came out: past the last stage, ended, or failed in a stage. */
  onEnd(item: ItemInFlight, end: { readonly ended?: Ended } | { readonly error: unknown; readonly stage: string }): void
}

/** Bytes that are no content: names, URLs, figures. */
const SMALL = 64 << 10

export class Schedule {
  readonly #lanes: Lane[]
  readonly #o: ScheduleOptions

  constructor(
    stages: readonly { definition: StageDefinition; stage: Stage; progress: StageProgress }[],
    options: ScheduleOptions,
  ) {
    this.#lanes = stages.map(each => new Lane(each.definition, each.stage, each.progress))
    this.#o = options
  }

  enter(item: ItemInFlight): void {
    this.#arrive(item, 0)
  }

  /** An item of the list that needs no stage: those that wait for their turn must not wait for it. */
  pass(index: number): void {
    this.#passBy(index, 0)
  }

  #arrive(item: ItemInFlight, at: number): void {
    const lane = this.#lanes[at]
    if (!lane) return this.#o.onEnd(item, {})
    if (lane.turnstile) for (const each of lane.turnstile.arrive(item.index, item)) lane.queue.push(each)
    else lane.queue.push(item)
    this.#pump(at)
  }

  #passBy(index: number, from: number): void {
    for (let at = from; at < this.#lanes.length; at++) {
      const lane = this.#lanes[at] as Lane
      if (!lane.turnstile) continue
      for (const each of lane.turnstile.pass(index)) lane.queue.push(each)
      this.#pump(at)
    }
  }

  /** Begins what may begin. A loop and not a chain of calls: stages that answer at once would pile up on the stack. */
  #pump(at: number): void {
    const lane = this.#lanes[at] as Lane
    if (lane.isPumping) return
    lane.isPumping = true
    while (lane.active < lane.concurrency) {
      const item = this.#next(lane)
      if (!item) break
      this.#begin(item, at)
    }
    lane.isPumping = false
    lane.progress.waiting = lane.queue.length
  }

  /** There may be room in memory: for those first who are nearest to giving theirs back. */
  resume(): void {
    for (let at = this.#lanes.length - 1; at >= 0; at--) if (this.#lanes[at]?.isBlocked) this.#pump(at)
  }

  /** The first one for which there is room; else the foremost of all, or those that hold the room might wait for it. */
  #next(lane: Lane): ItemInFlight | undefined {
    const { queue } = lane
    const { first } = queue
    lane.isBlocked = first !== undefined && !this.#hasRoom(first, lane)
    if (!lane.isBlocked) return queue.shift()
    return queue.take(item => item !== first && this.#o.isForemost(item) && this.#hasRoom(item, lane))
  }

  #hasRoom(item: ItemInFlight, { stage, largest }: Lane): boolean {
    // It ends at once, and nobody may be left to give room back.
    if (item.signal.aborted) return true
    if (stage.needs) return this.#o.memory.admit(item, stage.needs(item.value, item))
    // What holds content goes on: only so is its room given back.
    return largest <= SMALL || item.held > SMALL || this.#o.memory.admit(item, largest)
  }

  #begin(item: ItemInFlight, at: number): void {
    const lane = this.#lanes[at] as Lane
    const { clock, random } = this.#o
    const { stage, definition, progress } = lane
    const { name, options } = definition
    const startedAt = clock.now()
    progress.waitMs += startedAt - item.readyAt
    progress.active = ++lane.active
    item.stage = name
    const { retries, timeoutMs } = options
    const given = attempt(item, { stage, name, clock, random, retries, timeoutMs, onRetry: () => progress.retries++ })
    if (!isThenable(given)) return this.#answered(item, at, startedAt, given)
    given.then(
      value => this.#answered(item, at, startedAt, value),
      error => this.#failed(item, at, startedAt, error),
    )
  }

  #answered(item: ItemInFlight, at: number, startedAt: number, value: unknown): void {
    const lane = this.#lanes[at] as Lane
    const isEnded = value instanceof Ended
    if (isEnded) lane.progress.ended++
    else lane.progress.passed++
    this.#leave(item, lane, startedAt, isEnded ? undefined : value)
    if (isEnded) this.#out(item, at, { ended: value })
    else this.#arrive(item, at + 1)
    this.#pump(at)
  }

  #failed(item: ItemInFlight, at: number, startedAt: number, error: unknown): void {
    const lane = this.#lanes[at] as Lane
    lane.progress.failed++
    this.#leave(item, lane, startedAt, undefined)
    this.#out(item, at, { error, stage: lane.definition.name })
    this.#pump(at)
  }

  #out(item: ItemInFlight, at: number, end: Parameters<ScheduleOptions['onEnd']>[1]): void {
    this.#passBy(item.index, at + 1)
    this.#o.onEnd(item, end)
  }

  #leave(item: ItemInFlight, lane: Lane, startedAt: number, value: unknown): void {
    const { clock, memory } = this.#o
    item.readyAt = clock.now()
    item.value = value
    lane.progress.busyMs += item.readyAt - startedAt
    lane.progress.active = --lane.active
    const bytes = bytesIn(value)
    lane.largest = Math.max(lane.largest, bytes)
    memory.hold(item, bytes)
  }
}

class Lane {
  readonly definition: StageDefinition
  readonly stage: Stage
  readonly progress: StageProgress
  readonly concurrency: number
  readonly turnstile: Turnstile<ItemInFlight> | undefined
  readonly queue = new Queue<ItemInFlight>()
  /** Most bytes that it gave an item. */
  largest = 0
  /** Its first item has no room. */
  isBlocked = false
  active = 0
  isPumping = false

  constructor(definition: StageDefinition, stage: Stage, progress: StageProgress) {
    this.definition = definition
    this.stage = stage
    this.progress = progress
    this.concurrency = definition.options.concurrency ?? stage.concurrency
    this.turnstile = definition.options.ordered ? new Turnstile() : undefined
  }
}

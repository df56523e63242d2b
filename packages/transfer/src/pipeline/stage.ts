/**
 * What a pipeline is made of. A definition is what the builder collects: it holds no state, so that one pipeline can run
 * several times. `start` makes what works in one run.
 *
 * A stage is asked for one item at a time and up to `concurrency` items at once. It never keeps an item back: what it is
 * given it answers, with a value, with `Ended`, or by throwing. Waiting, order, retries, time limits and bookkeeping are
 * the schedule's business and not its own.
 */
import type { EngineParts } from '../engine.ts'
import type { FetchOptions } from '../options.ts'
import { printable, redactText } from '../redact.ts'
import type { ItemContext } from './item.ts'

export interface StageDefinition {
  readonly kind: 'filter' | 'map' | 'locate' | 'fetch' | 'write' | 'append'
  /** Unique in its pipeline, e.g. `map clean`. */
  readonly name: string
  readonly options: StageOptions
  /** For `--list`: what it does in a few words, e.g. `clean of clean.ts, in threads`. */
  readonly about: string
  /** @throws TransferError Usage for what can be seen before the first item */
  start(run: StageRun): Stage | Promise<Stage>
}

/** What every stage understands. */
export interface StageOptions {
  /** What it is called in messages and reports. Default: its kind, and the function's name if it has one. */
  readonly name?: string | undefined
  /** Items at once. Default: 16; of a function in threads, twice the threads; of what makes files, 256. */
  readonly concurrency?: number | undefined
  /** Items enter in the order of the list. Default false: as they come. */
  readonly ordered?: boolean | undefined
  /**
   * Times that a failure is tried again, after a growing pause; those of the engine only where that may help. Default 0: it
   * has tried already what it can.
   */
  readonly retries?: number | undefined
  /** Longest time for one item in this stage, ms. Default: none. */
  readonly timeoutMs?: number | undefined
}

/** What the stages of one run share. */
export interface StageRun {
  readonly engine: EngineParts
  readonly signal: AbortSignal
  /** What holds for every fetch. */
  readonly fetch: FetchOptions
  /** Memory that values may hold. */
  readonly memory: ItemMemory
}

/** Bytes that fetched content may take. */
export interface ItemMemory {
  /** The size of what `needs` took room for is known now. */
  settle(item: ItemContext, bytes: number): void
}

export interface Stage {
  readonly concurrency: number
  /** Bytes that it will hold for an item, which is not begun before there is room for them; undefined: not known. */
  needs?(value: unknown, item: ItemContext): number | undefined
  /** A value, `Ended`, or a promise of one of them. */
  run(value: unknown, item: ItemContext): unknown
}

/** The item needs no more work, although it did not reach the end. */
export class Ended {
  readonly status: 'dropped' | 'unchanged'
  readonly reason: string | undefined

  constructor(status: 'dropped' | 'unchanged', reason?: string) {
    this.status = status
    this.reason = reason === undefined ? undefined : printable(redactText(String(reason)))
  }
}

/**
 * Given back by a function of a stage: the item is done without a result, e.g. because there is nothing to fetch.
 *
 * @param reason told in the report
 */
export function drop(reason?: string): Ended {
  return new Ended('dropped', reason)
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function'
}

/**
 * What people are told of a stream of records, so that they go on reading it:
 *
 *   the first of a kind                  at once
 *   the same again within the window     counted, and told once when the window ends, with how often
 *   more at once than a person reads     one summary, with the first few
 *   more kinds than are kept             counted in the summary
 *
 * Bounded, whatever comes; nothing is lost without being counted.
 */
import { type LogRecord, textOf } from './record.ts'

export interface Notice {
  /** Of a summary the first few, else one. */
  readonly records: readonly LogRecord[]
  /** How many records it stands for. */
  readonly count: number
  /** How many records were not sent before it. */
  readonly lost: number
}

export interface NoticesOptions {
  /** ms */
  readonly windowMs: number
  /** Kinds that are kept apart. Default 1000. */
  readonly mostKinds?: number | undefined
  /** Notices that wait; beyond them records are only counted. Default 100. */
  readonly mostWaiting?: number | undefined
  /** So many at once are still told one by one. Default 5. */
  readonly mostSingle?: number | undefined
}

/** Of a summary. */
const SHOWN = 5

interface Kind {
  readonly endsAt: number
  record: LogRecord
  /** Since the last that was told. */
  count: number
}

export class Notices {
  readonly #o: Required<NoticesOptions>
  /** In the order in which their windows end. */
  readonly #kinds = new Map<string, Kind>()
  #waiting: { readonly record: LogRecord; readonly count: number }[] = []
  /** Beyond what may wait. */
  #uncounted = 0
  #lost = 0

  constructor({ mostKinds = 1000, mostWaiting = 100, mostSingle = 5, windowMs }: NoticesOptions) {
    this.#o = { mostKinds, mostWaiting, mostSingle, windowMs }
  }

  /** @param now ms, of any clock that only rises */
  add(record: LogRecord, now: number): void {
    const key = `${record.level} ${record.caller ?? ''} ${textOf(record)}`
    const known = this.#kinds.get(key)
    if (known) {
      known.count++
      known.record = record
      return
    }
    if (this.#kinds.size < this.#o.mostKinds) {
      this.#kinds.set(key, { endsAt: now + this.#o.windowMs, record, count: 0 })
    }
    this.#put(record, 1)
  }

  /** Ends windows: of what came again in one there is a notice, and a new window. */
  sweep(now: number): void {
    for (const [key, { endsAt, record, count }] of this.#kinds) {
      if (endsAt > now) return
      this.#kinds.delete(key)
      if (count === 0) continue
      this.#kinds.set(key, { endsAt: now + this.#o.windowMs, record, count: 0 })
      this.#put(record, count)
    }
  }

  /** When the next window ends; undefined: none is open. */
  get nextSweep(): number | undefined {
    return this.#kinds.values().next().value?.endsAt
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** The next to be sent; undefined: there is none. */
  take(): Notice | undefined {
    if (this.#waiting.length === 0) return undefined
    const isMany = this.#waiting.length > this.#o.mostSingle
    const taken = this.#waiting.splice(0, isMany ? this.#waiting.length : 1)
    const notice = {
      records: taken.slice(0, SHOWN).map(({ record }) => record),
      count: taken.reduce((sum, { count }) => sum + count, 0) + this.#uncounted,
      lost: this.#lost,
    }
    this.#uncounted = 0
    this.#lost = 0
    return notice
  }

  /** A notice that was not sent: the next one says so. */
  lose({ count, lost }: Notice): void {
    this.#lost += count + lost
  }

  #put(record: LogRecord, count: number): void {
    if (this.#waiting.length < this.#o.mostWaiting) this.#waiting.push({ record, count })
    else this.#uncounted += count
  }
}

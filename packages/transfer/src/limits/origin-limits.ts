/**
 * Permits to have a connection open: per origin across all files of a run, and for the process (retrieval 9).
 *
 * Whoever asks while others wait for the same origin waits behind them, so no file can starve another; permits that
 * the process limit frees go to the longest waiter of all whose origin may have one. How many an origin may have is
 * decided by its connection control, which lives on what `transferred` tells. A push-back with a time (Retry-After)
 * stops the whole origin until then, not just the connection that was told.
 *
 * Nothing runs by itself: a timer exists only while somebody waits for an origin that is held.
 */
import { type Clock, systemClock } from '../clock.ts'
import { TransferError } from '../errors.ts'
import {
  CONTROL_WINDOW_MS,
  type ConnectionControl,
  createConnectionControl,
  type PushBackReason,
} from './connection-control.ts'
import { wakeAfter } from './wake.ts'

/** One connection's right to exist. */
export interface Permit {
  readonly origin: string
  /** Gives it back. A second time throws. */
  release(): void
}

export interface OriginLimitsOptions {
  /** Most connections per origin. Default 16. */
  readonly perOrigin?: number | undefined
  /** Connections per origin to begin with. Default 4. */
  readonly initial?: number | undefined
  /** Most connections of the process. Default 128. */
  readonly total?: number | undefined
  /** Default the system's. */
  readonly clock?: Clock | undefined
}

export interface PushBack {
  /** No permit for this origin before, milliseconds since 1970, as Retry-After and TransferError say it. */
  readonly until?: number | undefined
  /** Default `throttled`. */
  readonly reason?: PushBackReason | undefined
}

/** For profiles and tests. */
export interface OriginState {
  readonly limit: number
  readonly inUse: number
  readonly waiting: number
  /** Milliseconds for which the origin is still held; 0 when it is not. */
  readonly heldMs: number
}

export interface OriginLimits {
  /** A permit at once, or undefined when there is none, the origin is held, or somebody waits. */
  tryAcquire(origin: string): Permit | undefined
  /** A permit as soon as there is one. Rejects with the signal's reason. */
  acquire(origin: string, signal?: AbortSignal): Promise<Permit>
  /** At most so many for this origin, fewer than for others; heard only before its first permit. */
  lower(origin: string, most: number): void
  /** `bytes` more came from the origin; `now` in the clock's milliseconds. */
  transferred(origin: string, bytes: number, now: number): void
  /** A connection to the origin was reset. Halves its limit only when resets become more. */
  reset(origin: string): void
  /** The origin asked for patience or refused: halves its limit, and holds it until `until`. */
  pushBack(origin: string, pushBack?: PushBack): void
  state(origin: string): OriginState
  /** Permits that are out. */
  readonly inUse: number
  /** Rejects all waiters; permits may still be released. */
  close(): void
}

export function createOriginLimits(options: OriginLimitsOptions = {}): OriginLimits {
  return new CountedLimits(options)
}

interface Waiter {
  /** Order of asking, over all origins. */
  readonly ticket: number
  resolve(permit: Permit): void
  reject(reason: unknown): void
}

/** A window longer than this had a pause in it and says nothing of the origin's speed. */
const STALE_WINDOW_MS = 4 * CONTROL_WINDOW_MS
/** A timer that fires a moment early must not cost a whole second window. */
const EARLY_MS = 25

class Origin {
  readonly name: string
  readonly control: ConnectionControl
  readonly waiters: Waiter[] = []
  inUse = 0
  heldUntil = -Infinity
  /** Ends the wait of a held origin; exists only with waiters. */
  cancelTimer: (() => void) | undefined
  // The window being measured.
  windowStart = -Infinity
  bytes = 0
  wasFull = false
  resets = 0

  constructor(name: string, control: ConnectionControl) {
    this.name = name
    this.control = control
  }
}

class CountedLimits implements OriginLimits {
  readonly #perOrigin: number
  readonly #initial: number
  readonly #total: number
  readonly #clock: Clock
  readonly #origins = new Map<string, Origin>()
  /** Those with waiters. */
  readonly #waiting = new Set<Origin>()
  #tickets = 0
  #inUse = 0
  #isClosed = false

  constructor({ perOrigin = 16, initial = 4, total = 128, clock = systemClock }: OriginLimitsOptions) {
    if (!(total >= 1)) throw new RangeError(`Cannot limit connections to ${total}: at least 1 is needed`)
    this.#perOrigin = perOrigin
    this.#initial = initial
    this.#total = Math.floor(total)
    this.#clock = clock
  }

  get inUse(): number {
    return this.#inUse
  }

  tryAcquire(name: string): Permit | undefined {
    const origin = this.#origin(name)
    if (origin.waiters.length > 0 || !this.#mayHave(origin)) return undefined
    return this.#grant(origin)
  }

  acquire(name: string, signal?: AbortSignal): Promise<Permit> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#isClosed) return Promise.reject(closedError(name))
    const permit = this.tryAcquire(name)
    if (permit) return Promise.resolve(permit)
    const origin = this.#origin(name)
    const promise = new Promise<Permit>((resolve, reject) => {
      const onAbort = () => {
        this.#forget(origin, waiter)
        reject(signal!.reason)
      }
      const done = () => signal?.removeEventListener('abort', onAbort)
      const waiter: Waiter = {
        ticket: ++this.#tickets,
        resolve: granted => {
          done()
          resolve(granted)
        },
        reject: reason => {
          done()
          reject(reason)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      origin.waiters.push(waiter)
    })
    this.#waiting.add(origin)
    origin.wasFull ||= origin.inUse >= origin.control.limit
    this.#watch(origin)
    return promise
  }

  lower(name: string, most: number): void {
    if (!this.#origins.has(name)) this.#make(name, Math.min(most, this.#perOrigin))
  }

  transferred(name: string, bytes: number, now: number): void {
    const origin = this.#origin(name)
    origin.bytes += bytes
    const elapsed = now - origin.windowStart
    if (elapsed < origin.control.windowMs - EARLY_MS) return
    if (elapsed <= STALE_WINDOW_MS) {
      origin.control.observe({
        goodput: (origin.bytes * 1000) / elapsed,
        now,
        atLimit: origin.wasFull,
        resets: origin.resets,
      })
    }
    origin.windowStart = now
    origin.bytes = 0
    origin.resets = 0
    // At the limit of now: after an increase the new room must be used before it can be judged.
    origin.wasFull = origin.inUse >= origin.control.limit
    if (this.#waiting.size > 0) this.#serve()
  }

  reset(name: string): void {
    this.#origin(name).resets++
  }

  pushBack(name: string, { until, reason = 'throttled' }: PushBack = {}): void {
    const origin = this.#origin(name)
    const now = this.#clock.now()
    origin.control.pushBack(now, reason)
    // From here on in monotonic time: a wall clock that is set back must not prolong the hold.
    const heldUntil = until === undefined ? -Infinity : now + (until - this.#clock.wallNow())
    if (heldUntil <= Math.max(now, origin.heldUntil)) return
    origin.heldUntil = heldUntil
    this.#watch(origin)
  }

  state(name: string): OriginState {
    const origin = this.#origin(name)
    const { inUse, waiters, control } = origin
    const heldMs = Math.max(0, origin.heldUntil - this.#clock.now())
    return { limit: control.limit, inUse, waiting: waiters.length, heldMs }
  }

  close(): void {
    this.#isClosed = true
    for (const origin of this.#waiting) {
      origin.cancelTimer?.()
      for (const waiter of origin.waiters.splice(0)) waiter.reject(closedError(origin.name))
    }
    this.#waiting.clear()
  }

  #origin(name: string): Origin {
    return this.#origins.get(name) ?? this.#make(name, this.#perOrigin)
  }

  #make(name: string, maximum: number): Origin {
    const control = createConnectionControl({ initial: Math.min(this.#initial, maximum), maximum })
    const origin = new Origin(name, control)
    this.#origins.set(name, origin)
    return origin
  }

  #mayHave(origin: Origin): boolean {
    if (this.#isClosed || this.#inUse >= this.#total || origin.inUse >= origin.control.limit) return false
    return origin.heldUntil === -Infinity || this.#clock.now() >= origin.heldUntil
  }

  #grant(origin: Origin): Permit {
    this.#inUse++
    origin.inUse++
    if (origin.inUse >= origin.control.limit) origin.wasFull = true
    return new GrantedPermit(origin.name, () => {
      this.#inUse--
      origin.inUse--
      if (this.#waiting.size > 0) this.#serve()
    })
  }

  /** Hands out what is free: always to the longest waiter whose origin may have one. */
  #serve(): void {
    while (this.#inUse < this.#total) {
      let first: Origin | undefined
      for (const origin of this.#waiting) {
        if (first && origin.waiters[0]!.ticket > first.waiters[0]!.ticket) continue
        if (this.#mayHave(origin)) first = origin
      }
      if (!first) return
      const waiter = first.waiters[0]!
      this.#forget(first, waiter)
      waiter.resolve(this.#grant(first))
    }
  }

  #forget(origin: Origin, waiter: Waiter): void {
    const index = origin.waiters.indexOf(waiter)
    if (index >= 0) origin.waiters.splice(index, 1)
    if (origin.waiters.length > 0) return
    this.#waiting.delete(origin)
    this.#watch(origin)
  }

  /** Keeps a timer exactly while somebody waits for an origin that is held. */
  #watch(origin: Origin): void {
    origin.cancelTimer?.()
    origin.cancelTimer = undefined
    const remaining = origin.heldUntil - this.#clock.now()
    if (origin.waiters.length === 0 || !(remaining > 0)) return
    origin.cancelTimer = wakeAfter(this.#clock, remaining, () => {
      origin.cancelTimer = undefined
      // A timer may fire a little early, or be shorter than the hold.
      this.#watch(origin)
      this.#serve()
    })
  }
}

class GrantedPermit implements Permit {
  readonly origin: string
  #giveBack: (() => void) | undefined

  constructor(origin: string, giveBack: () => void) {
    this.origin = origin
    this.#giveBack = giveBack
  }

  release(): void {
    if (!this.#giveBack) throw new Error(`Cannot release a permit for ${this.origin} twice`)
    const giveBack = this.#giveBack
    this.#giveBack = undefined
    giveBack()
  }
}

function closedError(origin: string): TransferError {
  return new TransferError('Cancelled', `Cannot connect to ${origin}: the limits were closed`)
}

/**
 * Moves the bytes of one resource from its places into memory and hands them on: contact, parts, retries, stealing,
 * hedging (retrieval 6–9).
 *
 *     contact   one ranged request for the first missing part; its answer tells size, version and whether ranges work
 *     ranges    pump: while a connection is allowed: a remainder, else the next part in the window, else a stolen half
 *     no ranges one stream, slot after slot
 *     deliver   complete parts to `consume`; their memory is free again when it is done
 *     failure   retriable: what is missing goes back after a delay, within a budget; else everything stops
 *
 * The order of waiting is always memory, then connection: who waits for memory holds no connection, so the two can
 * never wait for each other.
 *
 * Does not promise that the bytes are right: digests are the consumer's.
 */
import { Delivery } from './delivery.ts'
import type { EngineParts } from './engine.ts'
import { TransferError } from './errors.ts'
import type { EventLevel, TransferEvent } from './events.ts'
import { callHook, type HookContext, type Hooks } from './hooks.ts'
import { RetryBudget } from './limits/backoff.ts'
import type { Permit } from './limits/origin-limits.ts'
import { initialPartSize, nextPartSize } from './limits/part-size.ts'
import { addSample, averageRate, type RateSample } from './limits/slow-link.ts'
import { Part, PartTable, Stretch } from './parts.ts'
import type { Place, Places } from './places.ts'
import { gaps } from './plan.ts'
import type { FileProgress } from './progress.ts'
import { withRate } from './rate-landing.ts'
import type { Range, Resource } from './resource.ts'
import type { Chunk } from './sink.ts'
import type { Slot } from './slots.ts'
import type { Answer, Landing } from './source.ts'
import { StreamLanding } from './stream-landing.ts'
import { judgeTail, type Pace } from './tail.ts'

export interface MoveOptions {
  readonly engine: EngineParts
  readonly places: Places
  /** What an earlier run knew of the resource: the answer must agree, or the move fails with ResourceChanged. */
  readonly expected: Resource | undefined
  /** Stated size, if any: sizes the first slot. */
  readonly size: number | undefined
  /** Only these bytes are wanted. */
  readonly range: Range | undefined
  /** Not to be fetched again; only with `expected`. */
  readonly held: readonly Range[]
  readonly order: 'any' | 'ascending'
  /** Bytes that may be under way beyond the first one not consumed; undefined: as many as the memory allows. */
  readonly window: number | undefined
  /** Bytes; undefined: adaptive. */
  readonly partSize: number | undefined
  /** Most connections for this resource. */
  readonly connections: number
  /** Attempts for a part that makes no progress. */
  readonly retries: number | undefined
  readonly maxRetryAfterMs: number
  /** Bytes per second. */
  readonly lowSpeedLimit: number
  readonly hooks: Hooks | undefined
  readonly hookContext: HookContext
  readonly signal: AbortSignal
  readonly file: FileProgress
  /** The first answer's head; called once, before any byte lands. A throw ends the move. */
  onResource(resource: Resource): void
  /** Takes a chunk; its slot is given up when this resolves. */
  consume(chunk: Chunk): Promise<void> | undefined
  /** The move is going to fail: chunks that wait for others must be let go, or it never ends. */
  onFailed(): void
}

export interface Moved {
  readonly resource: Resource
  /** Where the wanted bytes ended. */
  readonly end: number
  /** That end was proven by the body's framing or a stated size. */
  readonly isLengthProven: boolean
  /** Bytes received, those fetched twice included. */
  readonly networkBytes: number
  readonly retries: number
}

/** One request under way. */
interface Request extends Pace {
  readonly place: Place
  readonly permit: Permit
  readonly abort: AbortController
  stretch: Stretch | undefined
  /** This request hedges that one. */
  readonly hedges: Request | undefined
  isHedged: boolean
  /** Stopped in favour of faster ones: no fault, no retry. */
  isForgiven: boolean
  received: number
  /** Bytes already reported to the limits. */
  reported: number
  /** Until the head of the answer. */
  waitedMs: number
  lastByteAt: number
  samples: readonly RateSample[]
}

/** The right to one connection to one place. */
interface Grant {
  readonly place: Place
  readonly permit: Permit
}

const TICK_MS = 500
const RATE_WINDOW_MS = 3000

/** A move under way. */
export interface Move {
  readonly moved: Promise<Moved>
  /** Ends it with this error. */
  stop(error: unknown): void
}

export function move(options: MoveOptions): Move {
  const mover = new Mover(options)
  return { moved: mover.run(), stop: error => mover.stop(error) }
}

class Mover {
  readonly #o: MoveOptions
  readonly #engine: EngineParts
  readonly #result = Promise.withResolvers<Moved>()
  readonly #requests = new Set<Request>()
  readonly #delivery: Delivery
  readonly #budget: RetryBudget
  /** Aborted when the move is over, for those who wait for memory, permits or a delay. */
  #waits: AbortController | undefined
  #table: PartTable | undefined
  #stream: StreamLanding | undefined
  /** Ranges do not work here: the body comes as one stream. */
  #isStream = false
  #isStreamDone = false
  /** Where a stream has to go on after a failure. */
  #streamed: number
  /** Where that was when the stream under way was asked for. */
  #streamedBefore: number
  #resource: Resource | undefined
  #isLengthProven = true
  /** Promises that will end by themselves and must before the move may. */
  #waiting = 0
  #isPumpWaiting = false
  #readySlot: Slot | undefined
  #readyGrant: Grant | undefined
  /** Something was consumed, or all is over: a stream that waits for memory may look again. */
  #wakeStream: () => void = () => {}
  #adaptedPartSize: number
  #networkBytes = 0
  #retries = 0
  /** Parts (undefined: the contact) whose connection failed: they are asked for on a new one. */
  readonly #suspects = new Set<Part | undefined>()
  #failure: { readonly error: unknown } | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: MoveOptions) {
    this.#o = options
    this.#engine = options.engine
    this.#streamed = options.range?.start ?? 0
    this.#streamedBefore = this.#streamed
    this.#adaptedPartSize = initialPartSize(options.engine.workingSet.size)
    this.#budget = new RetryBudget({ perPart: options.retries, random: options.engine.random })
    this.#delivery = new Delivery({
      order: options.order,
      start: this.#streamed,
      consume: options.hooks?.onPartDone ? chunk => this.#consumeAndTell(chunk) : chunk => options.consume(chunk),
      onConsumed: () => {
        this.#wakeStream()
        this.#proceed()
      },
      onError: error => this.#fail(error),
    })
  }

  run(): Promise<Moved> {
    const { signal } = this.#o
    if (signal.aborted) return Promise.reject(signal.reason)
    const onAbort = () => this.#fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    void this.#contact()
    return this.#result.promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  stop(error: unknown): void {
    this.#fail(error)
  }

  // First contact

  async #contact(): Promise<void> {
    const range = this.#contactRange()
    this.#streamedBefore = this.#streamed
    this.#waiting++
    let slot: Slot | undefined
    let permit: Permit | undefined
    let place: Place | undefined
    try {
      place = this.#o.places.pick()
      slot = await this.#reserve(range.end - range.start)
      permit = await this.#permit(place)
    } catch (error) {
      slot?.release()
      this.#waiting--
      return this.#fail(error)
    }
    this.#waiting--
    const reserved = slot
    // A repeated stream starts at 0 again: what was delivered already is thrown away on arrival.
    const asked = this.#isStream ? undefined : range
    const expected = place.resource ?? (this.#resource ? comparable(this.#resource) : this.#o.expected)
    await this.#request({ place, permit }, asked, expected, {
      answered: (answer, request) => this.#answered(answer, reserved, request),
      unanswered: () => reserved.release(),
    })
  }

  #contactRange(): Range {
    const size = this.#resource?.size ?? this.#o.expected?.size ?? this.#o.size
    const end = this.#wantedEnd(size) ?? Number.POSITIVE_INFINITY
    const [gap] = gaps({ start: this.#o.range?.start ?? 0, end }, this.#o.held)
    const start = gap?.start ?? 0
    const length = Math.max(1, Math.min(this.#partSize(), (gap?.end ?? end) - start))
    return { start, end: start + length }
  }

  #answered(answer: Answer, slot: Slot, request: Request): Landing {
    if (this.#failure) throw this.#failure.error
    const { resource } = answer
    const isInParts = resource.ranges === 'yes' && resource.size !== undefined && !this.#isStream
    if (!isInParts && this.#o.held.length > 0) {
      throw new TransferError('ResourceChanged', 'Cannot resume: the server does not answer ranges any more', {
        url: request.place.source.uri,
      })
    }
    if (!this.#resource) {
      this.#o.onResource(resource)
      this.#resource = resource
    }
    request.place.resource = resource
    if (isInParts) return this.#answeredInParts(answer, resource.size as number, slot, request)
    return this.#answeredAsStream(answer, resource, slot)
  }

  #answeredInParts(answer: Answer, size: number, slot: Slot, request: Request): Landing {
    const whole = { start: this.#o.range?.start ?? 0, end: this.#wantedEnd(size) as number }
    const table = new PartTable(whole, this.#o.held, count => this.#landed(count))
    this.#table = table
    this.#budget.parts = Math.ceil((whole.end - whole.start) / this.#partSize())
    // An answer may be shorter than what was asked for: the part is not, and the rest of it is asked for again.
    const next = table.next(slot.length)
    const isHere = next?.start === answer.start
    if (isHere) {
      slot.trim(next.end - next.start)
      request.stretch = table.begin(next, slot)
    } else slot.release()
    if (table.next(1)) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS)
      queueMicrotask(() => this.#pump())
    }
    return request.stretch ?? nowhere
  }

  #answeredAsStream(answer: Answer, resource: Resource, slot: Slot): Landing {
    this.#isStream = true
    this.#delivery.keepSpare()
    const to = this.#wantedEnd(resource.size)
    if (to !== undefined && to - this.#streamed < slot.length) slot.trim(Math.max(1, to - this.#streamed))
    if (answer.framing === 'close') this.#isLengthProven = resource.size !== undefined
    this.#stream = new StreamLanding({
      start: answer.start,
      from: this.#streamed,
      to,
      slot,
      reserve: offset => this.#nextStreamSlot(offset, to ?? Number.POSITIVE_INFINITY),
      onLanded: count => this.#landed(count),
      onSlot: (full, offset, length) => {
        this.#streamed = offset + length
        this.#delivery.push({ slot: full, offset, length })
      },
    })
    return this.#stream
  }

  // Parts

  #pump(): void {
    const table = this.#table
    while (table && !this.#isOver && !this.#isPumpWaiting && this.#requests.size < this.#o.connections) {
      const part = table.hasRemainder ? undefined : this.#nextPart(table)
      if (part && !this.#readySlot) {
        const slot = this.#slotNow(part)
        if (slot) {
          // It may be smaller than what was asked for, and then the part is.
          this.#readySlot = slot
          continue
        }
        this.#returnGrant()
        if (this.#isCrowded(part) || this.#isAhead(part)) return
        return this.#pumpWhen(this.#reserve(part.end - part.start), reserved => this.#keepReady(reserved))
      }
      const hasWork = part !== undefined || table.hasRemainder
      if (!hasWork && !table.canSteal()) return this.#returnGrant()
      const grant = this.#takeGrant()
      if (!grant) {
        // Others use all connections. Stealing can wait for better times; planned work queues for its turn.
        return hasWork ? this.#waitForGrant() : undefined
      }
      const stretch = table.remainder() ?? this.#begin(table, part) ?? this.#steal(table)
      if (!stretch) return grant.permit.release()
      void this.#pour(stretch, grant)
    }
    this.#returnGrant()
  }

  #takeGrant(): Grant | undefined {
    const ready = this.#readyGrant
    this.#readyGrant = undefined
    if (ready) return ready
    const place = this.#o.places.pick()
    const permit = this.#engine.limits.tryAcquire(place.source.origin)
    return permit && { place, permit }
  }

  #waitForGrant(): void {
    const place = this.#o.places.pick()
    this.#pumpWhen(this.#permit(place), permit => {
      this.#readyGrant = { place, permit }
    })
  }

  /** A permit that came when it was no longer needed. */
  #returnGrant(): void {
    this.#readyGrant?.permit.release()
    this.#readyGrant = undefined
  }

  /** Memory that is to be had without waiting for anybody. */
  #slotNow(run: Range): Slot | undefined {
    const length = run.end - run.start
    const free = this.#isCrowded(run) ? undefined : this.#engine.slots.tryReserve(length)
    return free ?? this.#delivery.takeSpare(length)
  }

  /**
   * More memory would only pile up behind whoever consumes: their next step calls again. What runs ahead of a program
   * leaves half of it to the parts that others wait for: a program may look at one resource while it waits for another.
   */
  #isCrowded({ start, end }: Range): boolean {
    const { slots, workingSet } = this.#engine
    const isAhead = this.#isAhead({ start })
    if (!isAhead && this.#requests.size + this.#delivery.pending === 0) return false
    return slots.reserved + end - start > (isAhead ? workingSet.size / 2 : workingSet.size)
  }

  /** Something before it is still on its way to a program: it neither waits for memory nor takes the last of it. */
  #isAhead({ start }: Pick<Range, 'start'>): boolean {
    const { order, window } = this.#o
    if (order === 'ascending') return start > this.#delivery.head
    return window !== undefined && this.#requests.size + this.#delivery.pending > 0
  }

  /** Nothing more is to be done in parts. */
  get #isOver(): boolean {
    return this.#failure !== undefined || this.#isStream
  }

  #keepReady(slot: Slot): void {
    if (this.#isStream) slot.release()
    else this.#readySlot = slot
  }

  #nextPart(table: PartTable): Range | undefined {
    const next = table.next(Math.min(this.#readySlot?.length ?? Number.POSITIVE_INFINITY, this.#partSize()))
    const { window } = this.#o
    const { head } = this.#delivery
    const isFree = window === undefined || this.#o.order === 'any'
    return !next || isFree || next.start <= head || next.end <= head + window ? next : undefined
  }

  #steal(table: PartTable): Stretch | undefined {
    const stretch = table.steal()
    if (stretch) this.#tell('DEBUG', 'steal', { start: stretch.start, end: stretch.limit })
    return stretch
  }

  #begin(table: PartTable, part: Range | undefined): Stretch | undefined {
    const slot = this.#readySlot
    if (!part || !slot) return undefined
    this.#readySlot = undefined
    slot.trim(part.end - part.start)
    return table.begin(part, slot)
  }

  #pumpWhen<T>(promise: Promise<T>, use: (value: T) => void): void {
    this.#isPumpWaiting = true
    this.#waiting++
    const over = () => {
      this.#isPumpWaiting = false
      this.#waiting--
    }
    promise.then(
      value => {
        over()
        use(value)
        this.#proceed()
      },
      error => {
        over()
        this.#fail(error)
      },
    )
  }

  #pour(stretch: Stretch, grant: Grant & { readonly hedges?: Request }): Promise<void> {
    const { place } = grant
    const expected = place.resource ?? comparable(this.#resource as Resource)
    return this.#request({ ...grant, stretch }, { start: stretch.position, end: stretch.limit }, expected, {
      answered: answer => {
        if (answer.start !== stretch.position || answer.resource.ranges !== 'yes') {
          throw new TransferError('RangeUnsupported', 'The server stopped answering ranges', { url: place.source.uri })
        }
        place.resource ??= answer.resource
        return stretch
      },
      unanswered: () => {},
    })
  }

  // Streams

  /**
   * Memory for the next bytes of a stream: what is free, else its own that comes back from the consumer. It holds a
   * connection, so it must not wait for memory of others, who may be waiting for a connection.
   */
  async #nextStreamSlot(offset: number, to: number): Promise<Slot> {
    const { order, window } = this.#o
    for (;;) {
      if (this.#failure) throw this.#failure.error
      const run = { start: offset, end: Math.min(to, offset + this.#partSize()) }
      const isDue = this.#delivery.pending === 0
      const isNear = order === 'any' || window === undefined || run.end <= this.#delivery.head + window
      const slot = isDue || isNear ? this.#slotNow(run) : undefined
      if (slot) return slot
      if (isDue) return this.#reserve(run.end - run.start)
      await new Promise<void>(resolve => {
        this.#wakeStream = resolve
      })
    }
  }

  // One request

  async #request(
    grant: Grant & { readonly stretch?: Stretch; readonly hedges?: Request },
    range: Range | undefined,
    expected: Resource | undefined,
    on: { answered(answer: Answer, request: Request): Landing; unanswered(): void },
  ): Promise<void> {
    const { clock, progress } = this.#engine
    const { hooks, hookContext } = this.#o
    const { place, permit } = grant
    const now = clock.now()
    const request: Request = {
      place,
      permit,
      abort: new AbortController(),
      stretch: grant.stretch,
      hedges: grant.hedges,
      isHedged: false,
      isForgiven: false,
      startedAt: now,
      received: 0,
      reported: 0,
      waitedMs: 0,
      lastByteAt: now,
      samples: [{ at: now, bytes: 0 }],
    }
    this.#requests.add(request)
    place.active++
    progress.connections++
    let isAnswered = false
    let failure: { readonly error: unknown } | undefined
    try {
      if (hooks?.onPart && range) await callHook(hooks, 'onPart', { ...hookContext, part: range })
      if (hooks?.onHedge && range && grant.hedges) await callHook(hooks, 'onHedge', { ...hookContext, part: range })
      await place.source.fetch({
        range,
        expected,
        fresh: this.#suspects.delete(grant.stretch?.part),
        signal: request.abort.signal,
        answered: answer => {
          const landing = on.answered(answer, request)
          isAnswered = true
          request.waitedMs = clock.now() - request.startedAt
          if (hooks?.onResponse) this.#tellAnswer(answer, range)
          return this.#metered(landing, request)
        },
      })
    } catch (error) {
      failure = { error }
    }
    if (!isAnswered) on.unanswered()
    this.#requests.delete(request)
    progress.connections--
    this.#networkBytes += request.received
    this.#budget.moved(request.received)
    const tookMs = clock.now() - request.startedAt
    place.ended(request.received, tookMs)
    if (request.stretch) this.#engine.workingSet.answered(request.waitedMs, tookMs)
    this.#report(request)
    failure ??= this.#shortfall(request)
    const isLost = failure !== undefined && !this.#failure && !this.#isFilled(request)
    // One that brought nothing keeps its permit while it waits: another in its place would fail at once, and the next.
    const keepsPermit = isLost && request.received === 0
    if (!keepsPermit) permit.release()
    if (isLost) await this.#recover(request, failure?.error)
    else this.#ended(request)
    if (keepsPermit) permit.release()
    this.#proceed()
  }

  #metered(landing: Landing, request: Request): Landing {
    const counted: Landing = {
      room: () => landing.room(),
      advance: count => {
        request.received += count
        landing.advance(count)
      },
      whenRoom: () => landing.whenRoom(),
      get isComplete() {
        return landing.isComplete
      },
    }
    return withRate(counted, this.#engine.rate)
  }

  /** A body that ended as announced although not everything came: legal for a part, not for a stream of known length. */
  #shortfall({ stretch, received, place }: Request): { readonly error: unknown } | undefined {
    const isShort = stretch
      ? !stretch.isComplete && received === 0
      : this.#stream?.isComplete === false && this.#stream.hasEnd
    const url = place.source.uri
    return isShort
      ? { error: new TransferError('Protocol', 'The answer ended before the bytes asked for', { url }) }
      : undefined
  }

  #isFilled(request: Request): boolean {
    return request.stretch?.isComplete ?? (this.#stream?.isComplete || false)
  }

  /** A request ended: well, or after its failure was dealt with. */
  #ended(request: Request): void {
    if (request.hedges) return
    for (const other of this.#requests) if (other.hedges === request) other.abort.abort(tooSlow(other))
    if (request.stretch) return this.#stretchEnded(request.stretch)
    if (this.#failure) return void this.#stream?.discard()
    this.#stream?.end()
    this.#isStreamDone = this.#stream !== undefined
  }

  #stretchEnded(stretch: Stretch): void {
    const isComplete = this.#table?.end(stretch)
    if (isComplete) deliverPart(this.#delivery, stretch.part)
  }

  /** Decides what follows from a failed request: another attempt after a delay, another place, or the end. */
  async #recover(request: Request, error: unknown): Promise<void> {
    const { stretch } = request
    if (error instanceof TransferError && error.code === 'HookFailed') this.#fail(error)
    if (request.hedges || request.isForgiven || this.#mayStream(error)) return this.#ended(request)
    const delayMs = await this.#delayAfter(error, request).catch(cause => this.#fail(cause))
    if (delayMs === undefined) {
      this.#fail(error)
      return this.#ended(request)
    }
    await this.#sleep(delayMs)
    if (stretch) return this.#stretchEnded(stretch)
    this.#stream?.discard()
    this.#stream = undefined
    if (!this.#failure) void this.#contact()
  }

  /** ms to wait before another attempt; undefined: there is none. */
  async #delayAfter(error: unknown, { place, stretch, received }: Request): Promise<number | undefined> {
    const { engine, hooks, hookContext, maxRetryAfterMs, places } = this.#o
    if (!(error instanceof TransferError)) return undefined
    if (!error.retriable) return isOnePlaces(error) && places.dismiss(place, error) ? 0 : undefined
    const now = engine.clock.wallNow()
    const until = error.details.until
    if (until !== undefined && until - now > maxRetryAfterMs) return undefined
    if (error.code === 'Throttled') engine.limits.pushBack(place.source.origin, { until })
    else if (isRefusal(error)) engine.limits.pushBack(place.source.origin, { reason: 'refused' })
    else if (error.code === 'Network') engine.limits.reset(place.source.origin)
    if (this.#streamed > (this.#o.range?.start ?? 0) && !isPinned(this.#resource)) return undefined
    // A stream begins anew: only what was handed on stays.
    const progressed = stretch ? received : this.#streamed - this.#streamedBefore
    const delayMs = this.#budget.next({ progressed, part: stretch?.part.start })
    if (delayMs === undefined) return places.dismiss(place, error) ? 0 : undefined
    this.#retries++
    // An answer that says no came over a good connection.
    if (error.status === undefined) this.#suspects.add(stretch?.part)
    engine.progress.retries++
    this.#tell('WARN', 'retry', stretch && { start: stretch.start, end: stretch.limit }, {
      delayMs,
      reason: error.message,
    })
    if (!hooks?.onRetry) return delayMs
    const verdict = await callHook(hooks, 'onRetry', { ...hookContext, error, attempt: this.#retries, delayMs })
    return verdict === false ? undefined : delayMs
  }

  // From parts to one stream

  /**
   * The server stopped answering ranges (retrieval 8.1). Where bytes are consumed in order, the rest can come as one
   * stream of the same version; otherwise the whole has to begin anew, which is not decided here.
   */
  #mayStream(error: unknown): boolean {
    if (this.#isStream) return this.#table !== undefined
    if (!(error instanceof TransferError) || error.code !== 'RangeUnsupported') return false
    const hasBegun = this.#delivery.due > (this.#o.range?.start ?? 0)
    if (this.#o.order !== 'ascending' || (hasBegun && !isPinned(this.#resource))) return false
    this.#isStream = true
    for (const { abort } of this.#requests) abort.abort(error)
    return true
  }

  /** Nobody pours into parts any more: gives them up and asks for the rest. */
  #streamRest(): void {
    if (this.#requests.size > 0) return
    this.#freeParts()
    this.#table = undefined
    this.#streamed = this.#delivery.rewind()
    void this.#contact()
  }

  // The tail: slow and silent requests

  #tick(): void {
    if (this.#failure) return
    const now = this.#engine.clock.now()
    for (const request of this.#requests) {
      if (request.received > (request.samples.at(-1)?.bytes ?? 0)) request.lastByteAt = now
      request.samples = addSample(request.samples, { at: now, bytes: request.received })
      this.#report(request)
    }
    this.#adaptPartSize(now)
    const requests = [...this.#requests].filter(({ stretch }) => stretch)
    const mayHedge = this.#table !== undefined && !this.#table.hasRemainder && !this.#nextPart(this.#table)
    const verdict = judgeTail(requests, { now, lowSpeedLimit: this.#o.lowSpeedLimit, mayHedge })
    if (verdict?.action === 'abort') {
      // What it has not poured goes to another connection.
      verdict.request.isForgiven = !verdict.costsRetry
      verdict.request.abort.abort(tooSlow(verdict.request))
    }
    if (verdict?.action === 'hedge') this.#hedge(verdict.request)
    this.#pump()
  }

  #adaptPartSize(now: number): void {
    const { workingSet } = this.#engine
    workingSet.adapt()
    const rates = [...this.#requests].map(({ samples }) => averageRate(samples, now, RATE_WINDOW_MS) ?? 0)
    const rate = rates.length > 0 ? rates.reduce((sum, one) => sum + one, 0) / rates.length : undefined
    // Beside those that arrive, a few are being written and hashed.
    const parts = Math.max(4, this.#requests.size) + 4
    this.#adaptedPartSize = nextPartSize({ rate, current: this.#adaptedPartSize, budget: workingSet.size, parts })
  }

  /** Nothing is left to assign: the slowest stretch is asked for a second time, into memory of its own. */
  #hedge(slow: Request): void {
    const { stretch } = slow
    if (!stretch || slow.isHedged || slow.hedges) return
    const slot = this.#engine.slots.tryReserve(stretch.left)
    const place = this.#o.places.pick()
    const permit = slot && this.#engine.limits.tryAcquire(place.source.origin)
    if (!slot || !permit) return slot?.release()
    slow.isHedged = true
    this.#engine.progress.hedges++
    const range = { start: stretch.position, end: stretch.limit }
    this.#tell('DEBUG', 'hedge', range)
    const twin = new Stretch(new Part(range, slot), range, () => {})
    void this.#pour(twin, { place, permit, hedges: slow }).finally(() => {
      if (twin.isComplete && this.#requests.has(slow)) this.#takeFrom(twin, slow, stretch)
      slot.release()
      this.#proceed()
    })
  }

  /** The hedge was first: its bytes replace what the slow connection still owed. */
  #takeFrom(twin: Stretch, slow: Request, stretch: Stretch): void {
    slow.isForgiven = true
    slow.abort.abort(tooSlow(slow))
    const { part } = stretch
    const from = stretch.position
    part.slot.bytes.set(twin.part.slot.bytes.subarray(from - twin.start, stretch.limit - twin.start), from - part.start)
    stretch.advance(stretch.left)
  }

  // Common

  #wantedEnd(size: number | undefined): number | undefined {
    const { range } = this.#o
    return range && size !== undefined ? Math.min(range.end, size) : (range?.end ?? size)
  }

  #partSize(): number {
    return this.#o.partSize ?? this.#adaptedPartSize
  }

  #tell(level: EventLevel, event: string, part?: Range, fields?: TransferEvent['fields']): void {
    this.#engine.emit({ level, stage: 'fetch', event, file: this.#o.hookContext.uri, part, fields })
  }

  async #consumeAndTell(chunk: Chunk): Promise<void> {
    await this.#o.consume(chunk)
    const { hooks = {}, hookContext } = this.#o
    const part = { start: chunk.offset, end: chunk.offset + chunk.bytes.length }
    await callHook(hooks, 'onPartDone', { ...hookContext, part })
  }

  /** Beside the body: the move only waits for it before it ends. */
  #tellAnswer({ resource, start, end = Number.POSITIVE_INFINITY }: Answer, asked: Range | undefined): void {
    const { hooks = {}, hookContext } = this.#o
    this.#waiting++
    callHook(hooks, 'onResponse', { ...hookContext, part: asked ?? { start, end }, resource })
      .catch(error => this.#fail(error))
      .finally(() => {
        this.#waiting--
        this.#proceed()
      })
  }

  #landed(count: number): void {
    this.#engine.progress.landed(this.#o.file, count)
  }

  #report(request: Request): void {
    const { limits, clock } = this.#engine
    limits.transferred(request.place.source.origin, request.received - request.reported, clock.now())
    request.reported = request.received
  }

  async #reserve(length: number): Promise<Slot> {
    return this.#delivery.takeSpare(length) ?? (await this.#engine.slots.reserve(length, this.#signal()))
  }

  #permit(place: Place): Promise<Permit> {
    return this.#engine.limits.acquire(place.source.origin, this.#signal())
  }

  #signal(): AbortSignal {
    this.#waits ??= new AbortController()
    return this.#waits.signal
  }

  async #sleep(ms: number): Promise<void> {
    if (ms === 0) return
    this.#waiting++
    await this.#engine.clock.sleep(ms, this.#signal()).catch(() => {})
    this.#waiting--
  }

  #fail(error: unknown): void {
    if (!this.#failure) {
      this.#failure = { error }
      this.#o.onFailed()
      this.#wakeStream()
      this.#waits?.abort(error)
      this.#delivery.stop()
      for (const request of this.#requests) request.abort.abort(error)
    }
    this.#proceed()
  }

  /** After anything changed: more work, or the end. */
  #proceed(): void {
    if (this.#failure) return this.#settleFailure()
    if (this.#isStream && this.#table) return this.#streamRest()
    this.#pump()
    const isFetched = this.#table?.isDone || this.#isStreamDone
    if (!isFetched || this.#requests.size > 0 || this.#waiting > 0 || this.#delivery.pending > 0) return
    this.#free()
    const resource = this.#resource as Resource
    const end = this.#table ? (this.#wantedEnd(resource.size) as number) : this.#streamed
    this.#result.resolve({
      resource,
      end,
      isLengthProven: this.#isLengthProven,
      networkBytes: this.#networkBytes,
      retries: this.#retries,
    })
  }

  #settleFailure(): void {
    if (this.#requests.size > 0 || this.#waiting > 0 || this.#delivery.pending > 0) return
    this.#free()
    this.#result.reject(this.#failure?.error)
  }

  #free(): void {
    this.#delivery.stop()
    this.#freeParts()
  }

  #freeParts(): void {
    clearInterval(this.#timer)
    this.#returnGrant()
    this.#readySlot?.release()
    this.#readySlot = undefined
    for (const part of this.#table?.open.splice(0) ?? []) part.slot.release()
  }
}

function tooSlow({ place }: { readonly place: Place }): TransferError {
  return new TransferError('LowSpeed', 'The connection was too slow', { url: place.source.uri })
}

const nowhere: Landing = {
  room: () => new Uint8Array(0),
  advance: () => {},
  whenRoom: async () => {},
  isComplete: true,
}

function deliverPart(delivery: Delivery, part: Part): void {
  delivery.push({ offset: part.start, length: part.end - part.start, slot: part.slot })
}

/** What two hosts can agree on. */
function comparable({ size, ranges }: Resource): Resource {
  return { size, ranges, checksums: [] }
}

/** Whether another answer can be proven to be of the same version. */
function isPinned(resource: Resource | undefined): boolean {
  return (
    resource !== undefined && (resource.version !== undefined || (resource.etag !== undefined && !resource.etag.isWeak))
  )
}

function isRefusal({ cause }: TransferError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}

/** Failures that speak of one place, not of the resource. */
function isOnePlaces(error: TransferError): boolean {
  return ['NotFound', 'Denied', 'Expired', 'Tls', 'Redirect', 'SizeMismatch', 'Unsupported'].includes(error.code)
}

/**
 * Moves the bytes of one resource from its places into memory and hands them on: contact, parts, retries, stealing,
 * hedging (retrieval 6–9).
 *
 *     contact   one ranged request for the first missing part; its answer tells size, version and whether ranges work
 *     ranges    pump: while a connection is allowed: a remainder, else the next part in the window, else a stolen half
 *     no ranges one stream, slot after slot
 *     deliver   complete parts to `consume`; their memory is free again when it is done
 *     failure   retriable: what is missing goes back after a delay, within a budget; else everything stops, and what has
 *               landed goes to `consume` as well, for a later run
 *
 * The order of waiting is always memory, then connection: who waits for memory holds no connection, so the two can
 * never wait for each other.
 *
 * Does not promise that the bytes are right: digests are the consumer's.
 */

import type { EngineParts } from '../engine.ts'
import { isRetriable, TransferError } from '../errors.ts'
import type { FileHooks } from '../hooks/file-hooks.ts'
import { nowhere } from '../nowhere.ts'
import type { Range, Resource } from '../resource.ts'
import type { Chunk } from '../sink.ts'
import type { Slot } from '../slots.ts'
import type { Answer, Landing } from '../source.ts'
import { BodyStream } from './body-stream.ts'
import { Delivery } from './delivery.ts'
import { fitSlot } from './fit-slot.ts'
import type { Move, Moved, MoveOptions } from './move.ts'
import { PartSizes } from './part-sizes.ts'
import { PartTable, type Stretch } from './parts.ts'
import { Pump } from './pump.ts'
import { isPinned, Recovery } from './recovery.ts'
import { type Asking, type Ended, type Grant, type Request, Requests } from './requests.ts'
import { TailKeeper } from './tail-keeper.ts'
import { Waits } from './waits.ts'
import { firstRange, wantedEnd } from './wanted.ts'

const TICK_MS = 250

export function move(options: MoveOptions): Move {
  const mover = new Mover(options)
  return { moved: mover.run(), stop: error => mover.stop(error) }
}

class Mover {
  readonly #o: MoveOptions
  readonly #engine: EngineParts
  readonly #result = Promise.withResolvers<Moved>()
  readonly #waits: Waits
  readonly #requests: Requests
  readonly #delivery: Delivery
  readonly #recovery: Recovery
  // Made when they are needed: a small file is one answer and needs none of them.
  #lazyPump: Pump | undefined
  #lazyTail: TailKeeper | undefined
  #lazyStream: BodyStream | undefined
  /** First byte that is wanted. */
  readonly #from: number
  #resource: Resource | undefined
  #isLengthProven = true
  readonly #partSizes: PartSizes
  #table: PartTable | undefined
  #timer: NodeJS.Timeout | undefined
  /** Ranges do not work here: the body comes as one stream. */
  #isStream = false
  #failure: { readonly error: unknown } | undefined

  constructor(options: MoveOptions) {
    const { engine, order, hooks, hookContext } = options
    this.#o = options
    this.#engine = engine
    this.#from = options.range?.start ?? 0
    this.#partSizes = new PartSizes(options)
    const waits = new Waits(engine.clock)
    const requests = new Requests({ engine, hooks, hookContext, onHook: running => this.#waitForHook(running) })
    const delivery = new Delivery({
      order,
      start: this.#from,
      consume: hooks?.has('onPartDone') ? chunk => this.#consumeAndTell(chunk, hooks) : chunk => options.consume(chunk),
      onConsumed: () => {
        this.#lazyStream?.wake()
        this.#proceed()
      },
      onError: error => this.#fail(error),
    })
    this.#waits = waits
    this.#requests = requests
    this.#delivery = delivery
    this.#recovery = new Recovery(options)
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

  get #pump(): Pump {
    this.#lazyPump ??= new Pump({
      ...this.#o,
      requests: this.#requests,
      delivery: this.#delivery,
      waits: this.#waits,
      partSize: () => this.#partSizes.next,
      reserve: length => this.#reserve(length),
      pour: (stretch, grant) => void this.#pour(stretch, grant),
      onReady: () => this.#proceed(),
      onError: error => this.#fail(error),
      onSteal: range => this.#tell('steal', range),
    })
    return this.#lazyPump
  }

  get #tail(): TailKeeper {
    this.#lazyTail ??= new TailKeeper({
      ...this.#o,
      requests: this.#requests,
      pour: (stretch, grant, hedges) => this.#pour(stretch, grant, hedges),
      onHedge: range => this.#tell('hedge', range),
      onReady: () => this.#proceed(),
    })
    return this.#lazyTail
  }

  get #stream(): BodyStream {
    this.#lazyStream ??= new BodyStream({
      from: this.#from,
      order: this.#o.order,
      window: this.#o.window,
      delivery: this.#delivery,
      partSize: () => this.#partSizes.next,
      slotNow: run => this.#pump.slotNow(run),
      reserve: length => this.#reserve(length),
      onLanded: count => this.#landed(count),
    })
    return this.#lazyStream
  }

  // First contact

  async #contact(): Promise<void> {
    const { places, expected } = this.#o
    const range = this.#contactRange()
    this.#lazyStream?.ask()
    this.#waits.begin()
    let slot: Slot | undefined
    let grant: Grant
    try {
      const place = places.pick()
      slot = await this.#reserve(range.end - range.start)
      const { origin } = place.source
      const { limits } = this.#engine
      const permit = limits.tryAcquire(origin) ?? (await limits.acquire(origin, this.#waits.signal))
      grant = { place, permit }
    } catch (error) {
      slot?.release()
      this.#waits.end()
      return this.#fail(error)
    }
    this.#waits.end()
    const reserved = slot
    if (this.#failure) {
      reserved.release()
      grant.permit.release()
      return this.#proceed()
    }
    const known = this.#resource ? comparable(this.#resource) : expected
    const asking: Asking = {
      grant,
      // A repeated stream starts at 0 again: what was delivered already is thrown away on arrival.
      range: this.#isStream ? undefined : range,
      expected: grant.place.resource ?? known,
      isFresh: this.#recovery.isSuspect(undefined),
      answered: (answer, request) => this.#answered(answer, reserved, request),
    }
    const ended = await this.#requests.make(asking)
    if (!ended.isAnswered) reserved.release()
    await this.#settle(ended)
  }

  #contactRange(): Range {
    const size = this.#resource?.size ?? this.#o.expected?.size ?? this.#o.size
    const end = this.#wantedEnd(size) ?? Number.POSITIVE_INFINITY
    return firstRange({ start: this.#from, end }, this.#o.held, this.#partSizes.next)
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

  // Parts

  #answeredInParts(answer: Answer, size: number, slot: Slot, request: Request): Landing {
    const whole = { start: this.#from, end: this.#wantedEnd(size) as number }
    const table = new PartTable(whole, this.#o.held, count => this.#landed(count))
    this.#table = table
    this.#recovery.parts = Math.ceil((whole.end - whole.start) / this.#partSizes.next)
    // An answer may be shorter than what was asked for: the part is not, and the rest of it is asked for again.
    const next = table.next(slot.length)
    if (next?.start === answer.start) {
      request.stretch = table.begin(next, fitSlot(slot, next.end - next.start, this.#engine.slots))
    } else slot.release()
    if (table.next(1)) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS)
      queueMicrotask(() => this.#work())
    }
    return request.stretch ?? nowhere
  }

  /** Gives free connections something to do. */
  #work(): void {
    const table = this.#table
    if (table && !table.isDone && !this.#failure && !this.#isStream) this.#pump.run(table)
  }

  async #pour(stretch: Stretch, grant: Grant, hedges?: Request): Promise<void> {
    const { place } = grant
    const ended = await this.#requests.make({
      grant,
      range: { start: stretch.position, end: stretch.limit },
      expected: place.resource ?? comparable(this.#resource as Resource),
      stretch,
      hedges,
      // What made one connection slow, e.g. a router that has forgotten it, may have met the idle ones as well.
      isFresh: hedges !== undefined || this.#recovery.isSuspect(stretch.part),
      answered: answer => {
        if (answer.start !== stretch.position || answer.resource.ranges !== 'yes') {
          throw new TransferError('RangeUnsupported', 'The server stopped answering ranges', { url: place.source.uri })
        }
        place.resource ??= answer.resource
        return stretch
      },
    })
    await this.#settle(ended)
  }

  #tick(): void {
    if (this.#failure) return
    this.#requests.sample()
    this.#partSizes.adapt(this.#requests, this.#delivery.pending)
    const table = this.#table
    this.#tail.look(table === undefined || this.#pump.hasWork(table))
    this.#work()
  }

  // Streams

  #answeredAsStream(answer: Answer, resource: Resource, slot: Slot): Landing {
    this.#isStream = true
    this.#delivery.keepSpare()
    if (answer.framing === 'close') this.#isLengthProven = resource.size !== undefined
    return this.#stream.answered(answer, { to: this.#wantedEnd(resource.size), slot })
  }

  /** Not even the first range was answered, so nothing has landed: the whole is asked for. */
  #mayBeginAsStream(error: unknown): boolean {
    return isRangeRefusal(error) && !this.#isStream && !this.#table && this.#o.held.length === 0
  }

  /**
   * The server stopped answering ranges (retrieval 8.1). Where bytes are consumed in order, the rest can come as one
   * stream of the same version; otherwise the whole has to begin anew, which is not decided here.
   */
  #mayGoOnAsStream(error: unknown): boolean {
    if (this.#isStream || !isRangeRefusal(error)) return false
    const hasBegun = this.#delivery.due > this.#from
    if (this.#o.order !== 'ascending' || (hasBegun && !isPinned(this.#resource))) return false
    this.#isStream = true
    this.#requests.abortAll(error)
    return true
  }

  /** Nobody pours into parts any more: gives them up and asks for the rest. */
  #streamRest(): void {
    if (this.#requests.size > 0) return
    this.#freeParts()
    this.#table = undefined
    this.#stream.goOnFrom(this.#delivery.rewind())
    void this.#contact()
  }

  // Ends of requests

  /** Draws the conclusion from a request that ended, and gives its connection back. */
  async #settle({ request, failure }: Ended): Promise<void> {
    const { permit } = request
    this.#requests.close(request)
    this.#recovery.moved(request.received)
    const error = failure ?? this.#shortfall(request)
    const isLost = error !== undefined && !this.#failure && !this.#isFilled(request)
    // One that brought nothing keeps its permit while it waits: another in its place would fail at once, and the next.
    const keepsPermit = isLost && request.received === 0
    if (!keepsPermit) permit.release()
    if (isLost) await this.#recover(request, error.error)
    else this.#ended(request)
    if (keepsPermit) permit.release()
    this.#proceed()
  }

  /** A body that ended as announced although not everything came: legal for a part, not for a stream of known length. */
  #shortfall({ stretch, received, place }: Request): { readonly error: unknown } | undefined {
    const isStreamCut = this.#lazyStream?.isComplete === false && this.#resource?.size !== undefined
    const isShort = stretch ? !stretch.isComplete && received === 0 : isStreamCut
    if (!isShort) return undefined
    const url = place.source.uri
    return { error: new TransferError('Protocol', 'The answer ended before the bytes asked for', { url }) }
  }

  #isFilled({ stretch }: Request): boolean {
    return stretch?.isComplete ?? this.#lazyStream?.isComplete ?? false
  }

  /** A request ended: well, or after its failure was dealt with. */
  #ended(request: Request): void {
    if (request.hedges) return
    this.#lazyTail?.dismissHedgeOf(request)
    if (request.stretch) return this.#stretchEnded(request.stretch)
    if (this.#failure) this.#lazyStream?.drop()
    else this.#lazyStream?.end()
  }

  #stretchEnded(stretch: Stretch): void {
    const { start, end, slot } = stretch.part
    if (this.#table?.end(stretch)) this.#delivery.push({ offset: start, length: end - start, slot })
  }

  /** Another attempt after a delay, another place, another manner, or the end. */
  async #recover(request: Request, error: unknown): Promise<void> {
    const { stretch } = request
    if (error instanceof TransferError && error.code === 'HookFailed') this.#fail(error)
    if (this.#mayBeginAsStream(error)) {
      this.#isStream = true
      this.#ended(request)
      return void this.#contact()
    }
    // Parts that end after the change to one stream have nothing more to say.
    const isOfNoMatter = request.hedges !== undefined || request.isForgiven || (this.#isStream && stretch !== undefined)
    if (isOfNoMatter || this.#mayGoOnAsStream(error)) return this.#ended(request)
    const delayMs = await this.#delayAfter(error, request).catch(cause => this.#fail(cause))
    if (delayMs === undefined) {
      this.#fail(error)
      return this.#ended(request)
    }
    await this.#waits.sleep(delayMs)
    if (stretch) return this.#stretchEnded(stretch)
    this.#lazyStream?.drop()
    if (!this.#failure) void this.#contact()
  }

  async #delayAfter(error: unknown, request: Request): Promise<number | undefined> {
    // What was delivered of a stream can only be continued with the same version.
    if (isRetriable(error) && this.#lazyStream?.hasBegun && !isPinned(this.#resource)) return undefined
    // A stream begins anew: only what was handed on stays.
    const progressed = request.stretch ? request.received : (this.#lazyStream?.progressed ?? 0)
    return this.#recovery.delayAfter(error, request, { progressed, isFirst: this.#resource === undefined })
  }

  // Common

  #wantedEnd(size: number | undefined): number | undefined {
    return wantedEnd(this.#o.range, size)
  }

  /** Memory as soon as there is some; perhaps the spare, which may be smaller. */
  #reserve(length: number): Slot | Promise<Slot> {
    const { slots } = this.#engine
    return this.#delivery.takeSpare(length) ?? slots.tryReserve(length) ?? slots.reserve(length, this.#waits.signal)
  }

  #landed(count: number): void {
    this.#engine.progress.landed(this.#o.file, count)
  }

  #tell(event: string, part: Range): void {
    this.#engine.emit({ level: 'DEBUG', stage: 'fetch', event, file: this.#o.hookContext.uri, part })
  }

  async #consumeAndTell(chunk: Chunk, hooks: FileHooks): Promise<void> {
    await this.#o.consume(chunk)
    if (this.#failure) return
    const part = { start: chunk.offset, end: chunk.offset + chunk.bytes.length }
    await hooks.tell('onPartDone', { ...this.#o.hookContext, part })
  }

  #waitForHook(running: Promise<unknown>): void {
    this.#waits.begin()
    running
      .catch(error => this.#fail(error))
      .finally(() => {
        this.#waits.end()
        this.#proceed()
      })
  }

  #fail(error: unknown): void {
    if (!this.#failure) {
      this.#failure = { error }
      this.#o.onFailed(error)
      this.#lazyStream?.stop(error)
      this.#waits.stop(error)
      this.#delivery.stop()
      this.#requests.abortAll(error)
    }
    this.#proceed()
  }

  /** After anything changed: more work, or the end. */
  #proceed(): void {
    if (!this.#failure) {
      if (this.#isStream && this.#table) return this.#streamRest()
      this.#work()
    }
    const isOver = this.#failure !== undefined || this.#lazyStream?.isDone === true || this.#table?.isDone === true
    if (!isOver || this.#requests.size > 0 || this.#waits.count > 0) return
    if (this.#failure) this.#handOnLanded()
    if (this.#delivery.pending > 0) return
    this.#delivery.stop()
    this.#freeParts()
    if (this.#failure) return this.#result.reject(this.#failure.error)
    const resource = this.#resource as Resource
    this.#result.resolve({
      resource,
      end: this.#table ? (this.#wantedEnd(resource.size) as number) : this.#stream.reached,
      isLengthProven: this.#isLengthProven,
      networkBytes: this.#requests.networkBytes,
      retries: this.#recovery.retries,
    })
  }

  /** Nobody pours any more: what parts under way have got so far may serve a later run. */
  #handOnLanded(): void {
    const parts = this.#table?.open.splice(0) ?? []
    this.#waits.begin()
    for (const { start: base, slot, landed } of parts) {
      for (const { start, end } of landed) {
        slot.retain()
        this.#delivery.push({ offset: start, length: end - start, slot, at: start - base })
      }
      slot.release()
    }
    this.#waits.end()
  }

  #freeParts(): void {
    clearInterval(this.#timer)
    this.#lazyPump?.stop()
    for (const part of this.#table?.open.splice(0) ?? []) part.slot.release()
  }
}

/** What two hosts can agree on. */
function comparable({ size, ranges }: Resource): Resource {
  return { size, ranges, checksums: [] }
}

function isRangeRefusal(error: unknown): boolean {
  return error instanceof TransferError && error.code === 'RangeUnsupported'
}

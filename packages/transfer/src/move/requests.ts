import type { EngineParts } from '../engine.ts'
import { TransferError } from '../errors.ts'
import type { FileHooks } from '../hooks/file-hooks.ts'
import { shownHeaders, shownResource } from '../hooks/shown.ts'
import type { HookContext } from '../hooks.ts'
import type { Permit } from '../limits/origin-limits.ts'
import type { RateSample } from '../limits/slow-link.ts'
import { addSample } from '../limits/slow-link.ts'
import type { Range, Resource } from '../resource.ts'
import type { Answer, Landing } from '../source.ts'
import { MeteredLanding } from './metered-landing.ts'
import type { Stretch } from './parts.ts'
import type { Place } from './places.ts'
import type { Pace } from './tail.ts'

/** The right to one connection to one place. */
export interface Grant {
  readonly place: Place
  readonly permit: Permit
}

/** One request under way. */
export interface Request extends Pace, Grant {
  readonly abort: AbortController
  /** What it pours; of a first contact known only with its answer. */
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

export interface Asking {
  readonly grant: Grant
  /** Undefined: the whole as one stream. */
  readonly range: Range | undefined
  readonly expected: Resource | undefined
  readonly stretch?: Stretch | undefined
  readonly hedges?: Request | undefined
  /** The last connection failed: take a new one. */
  readonly isFresh: boolean
  answered(answer: Answer, request: Request): Landing
}

export interface Ended {
  readonly request: Request
  readonly isAnswered: boolean
  readonly failure: { readonly error: unknown } | undefined
}

export interface RequestsOptions {
  readonly engine: EngineParts
  readonly hooks: FileHooks | undefined
  readonly hookContext: HookContext
  /** The hook `onResponse` runs beside the body: the move has to wait for it. */
  onHook(running: Promise<unknown>): void
}

/** The requests of one move that are under way, and what they add up to. */
export class Requests {
  readonly #o: RequestsOptions
  readonly #active = new Set<Request>()
  /** Bytes received by those that ended, bytes fetched twice included. */
  networkBytes = 0

  constructor(options: RequestsOptions) {
    this.#o = options
  }

  get size(): number {
    return this.#active.size
  }

  has(request: Request): boolean {
    return this.#active.has(request)
  }

  [Symbol.iterator](): Iterator<Request> {
    return this.#active.values()
  }

  /** Asks once and pours the answer. Never rejects. The request counts as under way until the caller closes it. */
  async make(asking: Asking): Promise<Ended> {
    const { engine, hooks, hookContext } = this.#o
    const { clock, progress } = engine
    const { grant, range, expected, isFresh } = asking
    const request = newRequest(asking, clock.now())
    this.#active.add(request)
    engine.underWay.add(this)
    grant.place.active++
    progress.connections++
    progress.peakConnections = Math.max(progress.peakConnections, progress.connections)
    if (range) engine.emit({ level: 'DEBUG', stage: 'fetch', event: 'part', file: hookContext.uri, part: range })
    let isAnswered = false
    let failure: { readonly error: unknown } | undefined
    try {
      if (range && hooks?.has('onPart')) await hooks.tell('onPart', { ...hookContext, part: range })
      if (range && asking.hedges && hooks?.has('onHedge')) await hooks.tell('onHedge', { ...hookContext, part: range })
      await grant.place.source.fetch({
        range,
        expected,
        fresh: isFresh,
        signal: request.abort.signal,
        answered: answer => {
          const landing = asking.answered(answer, request)
          isAnswered = true
          request.waitedMs = clock.now() - request.startedAt
          if (hooks?.has('onResponse')) this.#tellAnswer(hooks, answer, range)
          return new MeteredLanding(landing, engine.bandwidth, grant.place.source.origin, count => {
            request.received += count
            request.lastByteAt = clock.now()
          })
        },
      })
    } catch (error) {
      failure = { error }
    }
    return { request, isAnswered, failure }
  }

  /** Looks at each request: what arrived goes to the limits, and its speed into its samples. */
  sample(): void {
    const now = this.#o.engine.clock.now()
    for (const request of this.#active) {
      request.samples = addSample(request.samples, { at: now, bytes: request.received })
      this.#report(request)
    }
  }

  /** The way there was interrupted: what they lack is asked for again, and no fault is found with a part. */
  giveUpSilent(silentMs: number): void {
    const now = this.#o.engine.clock.now()
    for (const request of this.#active) {
      if (now - request.lastByteAt < silentMs) continue
      // A first contact has no part that another request could go on with: it is tried again as after a failure.
      request.isForgiven = request.stretch !== undefined
      const { uri } = request.place.source
      request.abort.abort(new TransferError('Network', 'The way to the server was interrupted', { url: uri }))
    }
  }

  abortAll(reason: unknown): void {
    for (const { abort } of this.#active) abort.abort(reason)
  }

  /** Counts what a request came to; in the same step the caller draws its conclusions. The permit stays with it. */
  close(request: Request): void {
    const { clock, progress, workingSet, underWay } = this.#o.engine
    this.#active.delete(request)
    if (this.#active.size === 0) underWay.delete(this)
    progress.connections--
    this.networkBytes += request.received
    if (request.hedges) progress.hedgedBytes += request.received
    const tookMs = clock.now() - request.startedAt
    request.place.ended(request.received, tookMs)
    if (request.stretch) workingSet.answered(request.waitedMs, tookMs)
    this.#report(request)
  }

  #report(request: Request): void {
    const { limits, clock } = this.#o.engine
    limits.transferred(request.place.source.origin, request.received - request.reported, clock.now())
    request.reported = request.received
  }

  #tellAnswer(hooks: FileHooks, answer: Answer, asked: Range | undefined): void {
    const { start, end = Number.POSITIVE_INFINITY, head } = answer
    const about = {
      part: asked ?? { start, end },
      resource: shownResource(answer.resource),
      status: head?.status,
      headers: head && shownHeaders(head.headers),
    }
    this.#o.onHook(hooks.tell('onResponse', { ...this.#o.hookContext, ...about }))
  }
}

function newRequest({ grant, stretch, hedges }: Asking, now: number): Request {
  return {
    ...grant,
    abort: new AbortController(),
    stretch,
    hedges,
    isHedged: false,
    isForgiven: false,
    startedAt: now,
    received: 0,
    reported: 0,
    waitedMs: 0,
    lastByteAt: now,
    samples: [{ at: now, bytes: 0 }],
  }
}

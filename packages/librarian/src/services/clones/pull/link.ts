/**
 * The link to a librarian, as those see it who fetch from there. TCP learns nothing of a cut: a connection goes on when one of its
 * repetitions gets through, and their pauses double, so that of a link that is back as much time again may pass unused as it was
 * away. Here it is noticed (`silence.ts`), and what is still silent is given up, for whoever asked to ask again for the rest.
 */
import type { Engine } from '@arriero/transfer'
import { PeerDown } from './peer-down.ts'
import { Silence, STEP_MS } from './silence.ts'

export interface LinkOptions {
  readonly requests: {
    /** Resolves when the librarian has answered, on a connection of its own. */
    probe(signal: AbortSignal): Promise<void>
    /** The link is back: connections from before may lead nowhere. */
    renew(): void
  }
  /** It was there, and has not been for a minute. */
  readonly onDown: (error: PeerDown) => void
  /** It is there; told once. */
  readonly onHeard?: (() => void) | undefined
}

/** A request that the link watches over. */
export interface Watched extends Disposable {
  /** Aborted with `LinkReturned` when it has to be made again, or as the caller's own. */
  readonly signal: AbortSignal
  /** Nothing is expected while we work on what came. Default false. */
  isOurTurn: boolean
  /** Something came. */
  beat(): void
}

/** The link was cut and is there again: what was asked for is to be asked for again. */
export class LinkReturned extends Error {
  constructor() {
    super('The link was interrupted')
  }
}

/** Probes under way; one of a long path needs longer than the pause between two. */
const MOST_PROBES = 8

export class Link implements Disposable {
  readonly #o: LinkOptions
  readonly #silence = new Silence()
  readonly #watched = new Map<Watched, AbortController>()
  readonly #waiting = new Set<PromiseWithResolvers<void>>()
  readonly #probes = new Set<AbortController>()
  #engine: Engine | undefined
  /** Of the engine, when it was looked at last. */
  #received = 0
  #hasMoved = false
  #isHeard = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: LinkOptions) {
    this.#o = options
  }

  watch(signal: AbortSignal): Watched {
    const own = new AbortController()
    const watched: Watched = {
      signal: AbortSignal.any([signal, own.signal]),
      isOurTurn: false,
      beat: () => this.#heard(),
      [Symbol.dispose]: () => void this.#watched.delete(watched),
    }
    this.#watched.set(watched, own)
    this.#begin()
    return watched
  }

  /** All that this engine fetches. */
  watchEngine(engine: Engine): void {
    this.#engine = engine
    this.#begin()
  }

  /**
   * After a failure that may be the link's: resolves when the librarian answers. Only of one that had been there: who was not is
   * left alone by those who have asked for longer.
   *
   * @throws PeerDown, the signal's reason
   */
  async untilBack(error: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (error instanceof LinkReturned) return
    if (!this.#isHeard) throw new PeerDown(error)
    const waiting = Promise.withResolvers<void>()
    const onAbort = () => waiting.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.add(waiting)
    // What came before tells nothing.
    this.#hasMoved = false
    this.#silence.lost()
    this.#begin()
    try {
      await waiting.promise
    } finally {
      this.#waiting.delete(waiting)
      signal.removeEventListener('abort', onAbort)
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#endProbes()
  }

  #begin(): void {
    this.#timer ??= setInterval(() => this.#step(), STEP_MS).unref()
  }

  #step(): void {
    const received = this.#engine?.progress.received ?? 0
    if (received !== this.#received) this.#heard()
    this.#received = received
    const hasMoved = this.#hasMoved
    this.#hasMoved = false
    if (hasMoved || !this.#isWaiting) return this.#calm()
    const turn = this.#silence.next()
    if (turn === 'probe') void this.#probe()
    if (turn === 'down') this.#o.onDown(new PeerDown(new Error('Nothing comes from it, and it does not answer')))
  }

  get #isWaiting(): boolean {
    if (this.#waiting.size > 0 || (this.#engine?.progress.connections ?? 0) > 0) return true
    return [...this.#watched.keys()].some(({ isOurTurn }) => !isOurTurn)
  }

  #calm(): void {
    this.#silence.end()
    this.#endProbes()
    for (const waiting of this.#waiting) waiting.resolve()
  }

  async #probe(): Promise<void> {
    const probe = new AbortController()
    const [oldest] = this.#probes
    if (this.#probes.size >= MOST_PROBES) this.#end(oldest!)
    this.#probes.add(probe)
    try {
      await this.#o.requests.probe(probe.signal)
      if (this.#probes.has(probe)) this.#answered()
    } catch {
      if (this.#probes.has(probe)) this.#silence.lost()
    } finally {
      this.#end(probe)
    }
  }

  #answered(): void {
    this.#endProbes()
    this.#tellHeard()
    if (this.#silence.answered() === 'slow') return
    this.#o.requests.renew()
    for (const [watched, own] of this.#watched) if (!watched.isOurTurn) own.abort(new LinkReturned())
    this.#engine?.redial(STEP_MS)
    for (const waiting of this.#waiting) waiting.resolve()
  }

  #heard(): void {
    this.#hasMoved = true
    this.#tellHeard()
  }

  #tellHeard(): void {
    if (this.#isHeard) return
    this.#isHeard = true
    this.#o.onHeard?.()
  }

  #end(probe: AbortController): void {
    if (this.#probes.delete(probe)) probe.abort(new Error('Its answer is not needed any more'))
  }

  #endProbes(): void {
    for (const probe of [...this.#probes]) this.#end(probe)
  }
}

/**
 * The engine within the catalogue: pieces that are wanted are rows, and whoever takes one has it by a claim that runs out.
 *
 *   take      what is due and what nobody has any more, as much as there is room for
 *   run       beside each other; every third of a heartbeat the claims are renewed, and what is another's now is aborted
 *   end       done: the row goes, unless it was wanted meanwhile · failed: later · the process stops: at once, for others
 *   pause     until the next is due, something is wanted here, or a run ends; other processes' wants are found within `lookMs`
 *
 * On PostgreSQL it works too, with a look every few seconds of each process; pg-boss is told instead.
 */
import { randomBytes } from 'node:crypto'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Delivery, TakenPiece } from '../catalogue/operations/pieces.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { backOffSeconds } from './back-off.ts'
import {
  type Handler,
  HEARTBEAT_SECONDS,
  POISON_ATTEMPTS,
  type Poison,
  type QueueOptions,
  type TaskEngine,
  type WantOptions,
} from './engine.ts'

export interface EmbeddedEngineOptions {
  readonly catalogue: Pick<Catalogue, 'pieces'>
  readonly clock: Clock
  readonly log: Log
  readonly onPoison?: ((poison: Poison) => void) | undefined
  /** How often other processes' wants are looked for, ms. Default 5,000. */
  readonly lookMs?: number | undefined
}

interface Queue {
  readonly handler: Handler
  readonly atOnce: number
  readonly everywhere: number | null
  readonly seconds: number
}

interface Running {
  readonly delivery: Delivery
  readonly seconds: number
  /** It is another's now. */
  readonly lost: AbortController
  /** By the monotonic clock, ms. */
  renewed: number
  ended: Promise<void>
}

/** Something is due that cannot be taken: the bound of all processes, or another one that was faster. */
const LEAST_PAUSE_MS = 200

export class EmbeddedEngine implements TaskEngine {
  readonly #o: EmbeddedEngineOptions
  readonly #queues = new Map<string, Queue>()
  readonly #running = new Set<Running>()
  #nudge = new AbortController()

  constructor(options: EmbeddedEngineOptions) {
    this.#o = options
  }

  async handle(queue: string, handler: Handler, options: QueueOptions = {}): Promise<void> {
    const { atOnce = 1, atOnceEverywhere = null, heartbeatSeconds: seconds = HEARTBEAT_SECONDS } = options
    this.#queues.set(queue, { handler, atOnce, everywhere: atOnceEverywhere, seconds })
  }

  async want(queue: string, key: string, { inMs = 0, priority = 0 }: WantOptions = {}): Promise<void> {
    await this.#o.catalogue.pieces.want({ pieces: [{ queue, key, inSeconds: inMs / 1000, priority }] })
    this.#nudge.abort()
  }

  async work(signal: AbortSignal): Promise<void> {
    const { clock, log, lookMs = 5000 } = this.#o
    const over = new AbortController()
    const renewing = this.#renew(over.signal)
    while (!signal.aborted) {
      this.#nudge = new AbortController()
      const pause = await this.#turn(signal, lookMs).catch(error => {
        log.warn({ err: error }, 'Work could not be looked for; the next try is soon')
        return lookMs
      })
      // Also where there is always something to do, others have their turn.
      if (this.#nudge.signal.aborted) await clock.sleep(0)
      else await clock.sleep(pause, AbortSignal.any([signal, this.#nudge.signal])).catch(() => {})
    }
    await Promise.all([...this.#running].map(({ ended }) => ended))
    over.abort(new Error('The work has ended'))
    await renewing
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Resolves to how long to wait. */
  async #turn(signal: AbortSignal, lookMs: number): Promise<number> {
    const { pieces } = this.#o.catalogue
    const claim = randomBytes(16).toString('hex')
    const rooms = this.#rooms()
    if (rooms.length === 0) return lookMs
    for (const piece of await pieces.take({ rooms, claim })) this.#start(piece, signal)
    const next = await pieces.next({ queues: this.#rooms().map(({ queue }) => queue) })
    return Math.min(lookMs, Math.max(LEAST_PAUSE_MS, next ?? lookMs))
  }

  #rooms() {
    return [...this.#queues]
      .map(([queue, { atOnce, everywhere, seconds }]) => {
        const room = atOnce - [...this.#running].filter(({ delivery }) => delivery.queue === queue).length
        return { queue, room, everywhere, seconds }
      })
      .filter(({ room }) => room > 0)
  }

  #start({ queue, key, claim, attempts }: TakenPiece, signal: AbortSignal): void {
    const { handler, seconds } = this.#queues.get(queue) as Queue
    const delivery = { queue, key, claim }
    const lost = new AbortController()
    const running = { delivery, seconds, lost, renewed: this.#o.clock.now(), ended: Promise.resolve() }
    this.#running.add(running)
    running.ended = this.#run(delivery, attempts, handler, signal, lost.signal)
      .catch(error => {
        // Its claim runs out by itself.
        this.#o.log.warn({ err: error, queue, key }, 'The end of a piece of work could not be noted; it is done again')
      })
      .finally(() => {
        this.#running.delete(running)
        this.#nudge.abort()
      })
  }

  async #run(
    delivery: Delivery,
    attempts: number,
    handler: Handler,
    stops: AbortSignal,
    lost: AbortSignal,
  ): Promise<void> {
    const { pieces } = this.#o.catalogue
    try {
      const again = await handler(delivery.key, { signal: AbortSignal.any([stops, lost]) })
      await pieces.finish({ delivery, againInSeconds: again ? again.againInMs / 1000 : null })
    } catch (error) {
      if (lost.aborted) return
      if (stops.aborted) await pieces.release({ delivery })
      else await this.#fail(delivery, attempts + 1, error)
    }
  }

  async #fail(delivery: Delivery, attempts: number, error: unknown): Promise<void> {
    const { log, onPoison, catalogue } = this.#o
    const { queue, key } = delivery
    const reason = error instanceof Error ? error.message : String(error)
    log.error({ err: error, queue, key, attempts }, 'A piece of work failed; it is tried again')
    if (attempts === POISON_ATTEMPTS) onPoison?.({ queue, key, attempts, reason })
    await catalogue.pieces.fail({ delivery, inSeconds: backOffSeconds(attempts, Math.random), reason })
  }

  async #renew(over: AbortSignal): Promise<void> {
    const { clock } = this.#o
    while (!over.aborted) {
      const seconds = Math.min(HEARTBEAT_SECONDS, ...[...this.#queues.values()].map(queue => queue.seconds))
      await clock.sleep((seconds * 1000) / 3, over).catch(() => {})
      if (!over.aborted && this.#running.size > 0) await this.#renewNow()
    }
  }

  async #renewNow(): Promise<void> {
    const { catalogue, clock, log } = this.#o
    const asked = [...this.#running]
    const at = clock.now()
    try {
      const ours = await catalogue.pieces.renew({
        deliveries: asked.map(({ delivery, seconds }) => ({ ...delivery, seconds })),
      })
      const kept = new Set(ours.map(nameOf))
      for (const running of asked) {
        if (kept.has(nameOf(running.delivery))) running.renewed = at
        else lose(running)
      }
    } catch (error) {
      log.warn({ err: error }, 'Claims could not be renewed')
      // Others may have what was not renewed for a heartbeat.
      for (const running of asked) if (clock.now() - running.renewed > running.seconds * 1000) lose(running)
    }
  }
}

function nameOf({ queue, key }: Delivery): string {
  return `${queue}\n${key}`
}

function lose({ lost, delivery }: Running): void {
  lost.abort(new Error(`The piece ${delivery.key} of ${delivery.queue} is another's now`))
}

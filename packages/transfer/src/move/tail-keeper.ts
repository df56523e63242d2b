import type { EngineParts } from '../engine.ts'
import { TransferError } from '../errors.ts'
import type { Range } from '../resource.ts'
import { Part, Stretch } from './parts.ts'
import type { Places } from './places.ts'
import type { Grant, Request, Requests } from './requests.ts'
import { judgeTail } from './tail.ts'

export interface TailKeeperOptions {
  readonly engine: EngineParts
  readonly places: Places
  readonly requests: Requests
  /** Bytes per second. */
  readonly lowSpeedLimit: number
  /** Asks for a stretch on behalf of a slow request; resolves when that request has ended. */
  pour(stretch: Stretch, grant: Grant, hedges: Request): Promise<void>
  onHedge(range: Range): void
  /** A hedge ended: look again. */
  onReady(): void
}

/** Keeps the end of a transfer from hanging on one slow connection (retrieval 8.5, 9). */
export class TailKeeper {
  readonly #o: TailKeeperOptions

  constructor(options: TailKeeperOptions) {
    this.#o = options
  }

  /** @param isPlanned something is left to assign: a second request for the slow would be a waste */
  look(isPlanned: boolean): void {
    const { engine, places, requests, lowSpeedLimit } = this.#o
    const pouring = [...requests].filter(({ stretch }) => stretch)
    const verdict = judgeTail(pouring, {
      now: engine.clock.now(),
      lowSpeedLimit,
      mayHedge: !isPlanned,
      usual: places.usualRate,
    })
    if (verdict?.action === 'hedge') return this.#hedge(verdict.request)
    if (verdict?.action !== 'abort') return
    // What it has not poured goes to another connection.
    verdict.request.isForgiven = !verdict.costsRetry
    verdict.request.abort.abort(tooSlow(verdict.request))
  }

  /** This request ended by itself: its hedge, if any, is too late. */
  dismissHedgeOf(request: Request): void {
    for (const other of this.#o.requests) if (other.hedges === request) other.abort.abort(tooSlow(other))
  }

  /** The slowest stretch is asked for a second time, into memory of its own. */
  #hedge(slow: Request): void {
    const { engine, places, requests, pour, onHedge, onReady } = this.#o
    const { stretch } = slow
    if (!stretch || slow.isHedged || slow.hedges) return
    const slot = engine.slots.tryReserve(stretch.left)
    const place = places.pick()
    const permit = slot && engine.limits.tryAcquire(place.source.origin)
    if (!slot || !permit) return slot?.release()
    slow.isHedged = true
    engine.progress.hedges++
    const range = { start: stretch.position, end: stretch.limit }
    onHedge(range)
    const twin = new Stretch(new Part(range, slot), range, () => {})
    void pour(twin, { place, permit }, slow).finally(() => {
      if (twin.isComplete && requests.has(slow)) takeFrom(twin, slow, stretch)
      slot.release()
      onReady()
    })
  }
}

/** The hedge was first: its bytes replace what the slow connection still owed. */
function takeFrom(twin: Stretch, slow: Request, stretch: Stretch): void {
  slow.isForgiven = true
  slow.abort.abort(tooSlow(slow))
  const { part, position } = stretch
  const late = twin.part.slot.bytes.subarray(position - twin.start, stretch.limit - twin.start)
  part.slot.bytes.set(late, position - part.start)
  stretch.advance(stretch.left)
}

function tooSlow({ place }: Request): TransferError {
  return new TransferError('LowSpeed', 'The connection was too slow', { url: place.source.uri })
}

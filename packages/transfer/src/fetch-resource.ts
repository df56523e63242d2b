/**
 * The story of one resource, whatever becomes of its bytes:
 *
 *     prepare   what did an earlier run leave?
 *     contact   the first answer tells size and version; the sink opens while bytes already land
 *     move      parts to the sink and to the digests, over the same memory
 *     verify    against the strongest checksum known
 *     commit    only now does the result exist
 *
 * A failure between prepare and commit leaves the sink to keep what a later run may trust, or nothing.
 */
import { holdReading, holdSize, reconcile, wantedOf } from './answered.ts'
import { TransferError } from './errors.ts'
import type { TransferEvent } from './events.ts'
import type { AttemptHooks } from './hooks/file-hooks.ts'
import { shownResource } from './hooks/shown.ts'
import type { HookContext } from './hooks.ts'
import { chooseExpectations } from './integrity/choose-expectations.ts'
import { createDigester, type Digester } from './integrity/digester.ts'
import { digestsFor, partAlgorithm } from './integrity/digests.ts'
import { isLoaded, loadHashers } from './integrity/hasher.ts'
import type { Expectation, Verification } from './integrity/verification.ts'
import { LOW_SPEED_LIMIT } from './limits/slow-link.ts'
import type { Move, Moved } from './move/move.ts'
import { move } from './move/mover.ts'
import type { Places } from './move/places.ts'
import { total } from './plan.ts'
import type { FileProgress } from './progress.ts'
import type { Range, Resource } from './resource.ts'
import type { Timings } from './results.ts'
import type { Chunk, Earlier, Sink } from './sink.ts'
import { type Manner, startOver } from './start-over.ts'
import type { Task } from './task.ts'
import { verifyMoved } from './verify-moved.ts'

export interface Fetched<Result> {
  readonly result: Result
  readonly resource: Resource
  readonly verification: Verification
  readonly networkBytes: number
  readonly retries: number
  readonly timings: Timings
}

export interface FetchParts<Result> {
  readonly sink: Sink<Result>
  readonly file: FileProgress
  /** Final name, for hooks and errors. */
  readonly path?: string | undefined
  /** Bytes under way beyond the first one not consumed. */
  readonly window?: number | undefined
  /** The head of the first answer; a throw ends it. */
  onResource?(resource: Resource): void
  /** Every byte has landed: a connection is free for the next file. */
  onFetched?(): void
}

/** Fetches into the sink that `open` makes; makes another one if what arrived was wrong and starting over may help. */
export async function fetchResource<Result>(
  task: Task,
  open: (hooks: AttemptHooks | undefined) => FetchParts<Result>,
): Promise<Fetched<Result>> {
  let manner: Manner = {}
  for (let attempt = 1; ; attempt++) {
    using hooks = task.hooks?.attempt()
    const parts = open(hooks)
    const session = new Session(task, parts, manner, hooks)
    try {
      return await session.run()
    } catch (error) {
      await parts.sink.abort(error)
      const next = session.startOver(error, attempt)
      if (!next) {
        tellFailed(task, error)
        throw located(error, task, parts.path)
      }
      manner = next
      const reason = error instanceof Error ? error.message : String(error)
      task.engine.emit({ level: 'WARN', stage: 'fetch', event: 'restarted', file: task.shownUri, fields: { reason } })
    }
  }
}

class Session<Result> {
  readonly #task: Task
  readonly #p: FetchParts<Result>
  readonly #manner: Manner
  readonly #hooks: AttemptHooks | undefined
  /** Of these, those that want bytes: asked for every chunk. */
  readonly #chunkHooks: AttemptHooks | undefined
  readonly #startedAt: number
  #earlier: Earlier | undefined
  #resource: Resource | undefined
  #expectations: readonly Expectation[] = []
  #contradiction: string | undefined
  #digester: Digester | undefined
  /** Set while the sink or an algorithm is not ready; chunks wait for it. */
  #opening: Promise<void> | undefined
  #feeding: Promise<void> | undefined
  #places: Places | undefined
  #move: Move | undefined
  #firstByteAt: number | undefined
  #isOver = false

  constructor(task: Task, parts: FetchParts<Result>, manner: Manner, hooks: AttemptHooks | undefined) {
    this.#task = task
    this.#p = parts
    this.#manner = manner
    this.#hooks = hooks
    this.#chunkHooks = hooks?.has('onChunk') ? hooks : undefined
    this.#startedAt = task.engine.clock.now()
  }

  async run(): Promise<Fetched<Result>> {
    const { sink, file } = this.#p
    const { engine, signal } = this.#task
    signal.throwIfAborted()
    try {
      const moved = await this.#fetch()
      const fetchedAt = engine.clock.now()
      this.#p.onFetched?.()
      engine.progress.enter(file, 'verifying')
      await this.#feeding
      const verification = await this.#verify(moved)
      await this.#leave()
      const verifiedAt = engine.clock.now()
      engine.progress.enter(file, 'publishing')
      const result = await sink.commit(verification)
      const { networkBytes, retries } = moved
      const timings = this.#timings(fetchedAt, verifiedAt)
      const fields = { bytes: verification.size, totalMs: timings.totalMs }
      this.#tell({ level: 'INFO', stage: 'sink', event: 'done', fields })
      return { result, resource: this.#resource as Resource, verification, networkBytes, retries, timings }
    } catch (error) {
      // What is being opened or read must have ended before the sink is told to give up.
      this.#giveUp(error)
      await Promise.allSettled([this.#opening, this.#feeding])
      throw error
    } finally {
      // Not left as after success: `startOver` asks which places there were.
      this.#digester?.close()
      await this.#places?.close()
    }
  }

  /** Until every byte has landed. */
  async #fetch(): Promise<Moved> {
    const task = this.#task
    const { sink, file } = this.#p
    if (this.#hooks?.has('onPlan')) await this.#hooks.tell('onPlan', this.#hookContext())
    const earlier = await sink.prepare()
    // Who wants to see all bytes in order must get those of an earlier run as well.
    this.#earlier = task.range || this.#isHookOrdered ? undefined : earlier
    const places = await task.openPlaces(this.#manner.isRaw)
    this.#places = places
    if (this.#manner.places) places.keepOnly(this.#manner.places)
    task.engine.progress.enter(file, 'fetching')
    const moved = await this.#begin(places).moved
    this.#move = undefined
    await this.#opening
    return moved
  }

  /** Thousands of small files may wait for one group commit: what fetched and verified them need not wait with them. */
  async #leave(): Promise<void> {
    this.#digester?.close()
    this.#digester = undefined
    const places = this.#places
    this.#places = undefined
    if (places) await places.close()
  }

  /** How a new attempt from nothing may end better than this one; undefined: it may not. */
  startOver(error: unknown, attempt: number): Manner | undefined {
    return startOver(error, {
      task: this.#task,
      sink: this.#p.sink.capabilities,
      attempt,
      manner: this.#manner,
      places: this.#places,
      resource: this.#resource,
      hasEarlier: this.#earlier !== undefined,
      received: this.#p.file.received,
    })
  }

  #begin(places: Places): Move {
    const task = this.#task
    const { file, sink, window } = this.#p
    const { options, engine } = task
    const earlier = this.#earlier
    this.#move = move({
      engine,
      places,
      expected: earlier?.resource,
      held: earlier?.ranges ?? [],
      size: task.size,
      range: task.range,
      order: this.#isHookOrdered ? 'ascending' : sink.capabilities.order,
      window,
      partSize: task.partSize,
      connections: task.connections,
      retries: options.retries,
      maxRetryAfterMs: options.maxRetryAfterMs ?? 300_000,
      lowSpeedLimit: options.lowSpeedLimit ?? LOW_SPEED_LIMIT,
      hooks: this.#hooks,
      hookContext: this.#hookContext(),
      signal: task.signal,
      file,
      onResource: resource => this.#onResource(resource),
      consume: chunk => this.#consume(chunk),
      onFailed: error => this.#giveUp(error),
    })
    return this.#move
  }

  get #isHookOrdered(): boolean {
    return this.#hooks?.isOrdered === true
  }

  #onResource(answered: Resource): void {
    const task = this.#task
    const { file } = this.#p
    const why = this.#earlier?.whyNot(answered)
    if (why !== undefined) {
      throw new TransferError('ResourceChanged', `Cannot continue what an earlier run left: ${why}`, {
        url: task.shownUri,
      })
    }
    const { listed, contradiction } = reconcile(task, answered)
    this.#contradiction = contradiction
    holdSize(task, answered, contradiction !== undefined)
    holdReading(task, answered)
    const resource = wantedOf(answered, task.range)
    this.#firstByteAt = task.engine.clock.now()
    this.#p.onResource?.(answered)
    this.#resource = answered
    this.#expectations = chooseExpectations(task.stated, listed, task.range ? [] : answered.checksums, resource.size)
    if (resource.size !== undefined) task.engine.progress.sized(file, resource.size)
    const held = this.#earlier && total(this.#earlier.ranges)
    this.#tell({ level: 'INFO_VERBOSE', stage: 'plan', event: 'resource', fields: { size: resource.size, held } })
    const isResumed = this.#earlier !== undefined
    if (held !== undefined) {
      file.held = held
      task.engine.progress.held += held
    }
    this.#opening = this.#open(resource, isResumed)
    this.#opening?.catch(error => this.#move?.stop(error))
  }

  /** Opens sink and digester; a promise only if one of them needs time. */
  #open(resource: Resource, isResumed: boolean): Promise<void> | undefined {
    const task = this.#task
    const { sink } = this.#p
    const { algorithms, composites } = digestsFor(this.#expectations)
    const wanted = [...new Set([...algorithms, ...task.digests])]
    const needed = [...wanted, ...composites.map(({ algorithm }) => partAlgorithm(algorithm))]
    const opened = sink.open(resource, { isResumed })
    const start = () => {
      this.#opening = undefined
      if (needed.length === 0 || this.#isOver) return
      const { pool } = task.engine
      this.#digester = createDigester({ algorithms: wanted, composites, size: resource.size, pool })
      if (isResumed) this.#feeding = this.#feedHeld(this.#earlier?.ranges ?? [], this.#digester)
      this.#feeding?.catch(error => this.#move?.stop(error))
    }
    const hookCall = this.#tellResource(resource)
    if (!opened && !hookCall && needed.every(isLoaded)) {
      start()
      return undefined
    }
    return settleAll([opened, hookCall, loadHashers(needed)]).then(start)
  }

  #consume(chunk: Chunk): Promise<void> | undefined {
    return this.#opening ? this.#opening.then(() => this.#take(chunk)) : this.#take(chunk)
  }

  #take({ offset, bytes, slot }: Chunk): Promise<void> | undefined {
    const { sink } = this.#p
    const chunk = { offset: offset - (this.#task.range?.start ?? 0), bytes, slot }
    if (this.#isOver) return sink.keep?.(chunk)
    const digested = this.#digester?.add(chunk.offset, bytes)
    const written = sink.write(chunk)
    const hooked = this.#chunkHooks && this.#tellChunk(chunk, this.#chunkHooks)
    if (!digested && !written && !hooked) return undefined
    return settleAll([digested, written, hooked])
  }

  #tellResource(resource: Resource): Promise<void> | undefined {
    const hooks = this.#hooks
    if (!hooks?.has('onResource')) return undefined
    return hooks.tell('onResource', { ...this.#hookContext(), resource: shownResource(resource) })
  }

  /** A hook that is left with the bytes keeps their slot: what it looks at is never another part's. */
  #tellChunk({ offset, bytes, slot }: Chunk, hooks: AttemptHooks): Promise<void> {
    return hooks.tell('onChunk', { ...this.#hookContext(), offset, bytes }, settled => {
      slot.retain()
      void settled.finally(() => slot.release())
    })
  }

  /** Lets go what waits for bytes that will never come: a serial digest holds early chunks until their turn. */
  #giveUp(reason: unknown): void {
    this.#isOver = true
    this.#hooks?.end(reason)
    this.#digester?.close()
  }

  /** Bytes of an earlier run reach the digests by reading them back, beside the transfer. */
  async #feedHeld(ranges: readonly Range[], digester: Digester): Promise<void> {
    const { sink } = this.#p
    for (const { start, end } of ranges) {
      for (let at = start; at < end; ) {
        if (this.#isOver) return
        const bytes = new Uint8Array(Math.min(READ_BACK, end - at))
        await sink.readBack?.(at, bytes)
        await digester.add(at, bytes)
        at += bytes.length
      }
    }
  }

  async #verify(moved: Moved): Promise<Verification> {
    const proven = await verifyMoved(moved, {
      task: this.#task,
      sink: this.#p.sink,
      resource: this.#resource as Resource,
      expectations: this.#expectations,
      digester: this.#digester,
    })
    const verification = this.#contradiction === undefined ? proven : { ...proven, contradiction: this.#contradiction }
    const fields = { proof: proven.proof, size: proven.size }
    this.#tell({ level: 'INFO_VERBOSE', stage: 'verify', event: 'verified', fields })
    if (this.#hooks?.has('onVerify')) await this.#hooks.tell('onVerify', { ...this.#hookContext(), verification })
    return verification
  }

  #timings(fetchedAt: number, verifiedAt: number): Timings {
    const endedAt = this.#task.engine.clock.now()
    return {
      firstByteMs: round((this.#firstByteAt ?? fetchedAt) - this.#startedAt),
      fetchMs: round(fetchedAt - this.#startedAt),
      verifyMs: round(verifiedAt - fetchedAt),
      publishMs: round(endedAt - verifiedAt),
      totalMs: round(endedAt - this.#startedAt),
      hooksMs: round(this.#hooks?.ms ?? 0),
      hooks: this.#hooks?.times,
    }
  }

  #tell(event: Pick<TransferEvent, 'level' | 'stage' | 'event' | 'fields'>): void {
    this.#task.engine.emit({ ...event, file: this.#task.shownUri })
  }

  #hookContext(): HookContext {
    return { uri: this.#task.shownUri, file: this.#p.path }
  }
}

const READ_BACK = 4 << 20

/** Waits for all, also when one fails: nothing may be given up while somebody still uses it. */
async function settleAll(promises: readonly (Promise<void> | undefined)[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason
}

/** An abort is no failure of the file. */
function tellFailed({ engine, shownUri }: Task, error: unknown): void {
  if (!(error instanceof TransferError)) return
  const fields = { code: error.code, reason: error.message }
  engine.emit({ level: 'ERROR', stage: 'run', event: 'failed', file: shownUri, fields })
}

function located(error: unknown, { shownUri }: Task, file: string | undefined): unknown {
  if (!(error instanceof TransferError)) return error
  return error.with({ url: error.url ?? shownUri, file: error.details.file ?? file })
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}

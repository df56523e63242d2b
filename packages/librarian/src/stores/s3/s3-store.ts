/**
 * A store in a bucket. An object appears whole or not at all and is never put over another, so the private copy of a work stays
 * on a local scratch disk and is put under its final name directly.
 */

import { mkdir } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import type { Log } from '../../log.ts'
import { Challenge } from '../challenge.ts'
import type { Keeper } from '../keeper.ts'
import type { Life } from '../life.ts'
import { Copies } from '../local/copies.ts'
import { checkId, layoutOf } from '../local/layout.ts'
import { createMarker } from '../local/marker.ts'
import { measureSpace } from '../local/space.ts'
import { Spools } from '../local/spools.ts'
import { systemError } from '../local/system-error.ts'
import type { Place } from '../local/task.ts'
import type { Threads } from '../local/threads.ts'
import { failed, outcomeOf } from '../outcomes.ts'
import { keepsNoTrees, notFound } from '../refusals.ts'
import type {
  Examination,
  ExamineOptions,
  OpenFile,
  Outcome,
  Prepared,
  Publication,
  Published,
  Reading,
  ReadOptions,
  Removed,
  Scanned,
  Spool,
  SpoolOptions,
  Stat,
  Store,
  StoreState,
  TrailReading,
  TrailRecord,
  WantedWhole,
  Whole,
  Work,
  WorkState,
} from '../store.ts'
import { functionsFor, inFormOf } from '../wire-checksum.ts'
import { S3Availability } from './s3-availability.ts'
import { s3Error, speaking } from './s3-error.ts'
import { S3Keys } from './s3-keys.ts'
import { putMarker } from './s3-marker.ts'
import { refuseNestedPrefix } from './s3-nesting.ts'
import { digestObject, fingerprintOf, headObject, type S3Object, type S3Place, Taken } from './s3-objects.ts'
import { openObject } from './s3-open-object.ts'
import { S3Publisher } from './s3-publisher.ts'
import { S3Removal } from './s3-removal.ts'
import { scan } from './s3-scan.ts'
import { S3Trail } from './s3-trail.ts'

export interface S3StoreOptions {
  readonly name: string
  /** Before all keys; empty, or ends with `/`. */
  readonly prefix: string
  /** A directory on a local disk, for what arrives. */
  readonly scratchPath: string
  /** Bytes that may be kept; buckets tell of no limit. */
  readonly capacity: number
  readonly uuid?: string | undefined
  /** Whose store it must be. Default: nobody asks. */
  readonly keeper?: Keeper | undefined
  /** A marker without a keeper gets this one. Default: it stays without. */
  readonly mayClaim?: boolean | undefined
  /** Of that catalogue. Default: its copies are not told from it. */
  readonly life?: Life | undefined
}

export interface S3StoreParts {
  readonly place: S3Place
  readonly threads: Threads
  readonly log: Log
}

export class S3Store implements Store {
  readonly name: string
  readonly type = 's3'
  readonly capabilities = { hasStaging: false, hasPaths: false, hasTrees: false, canAdopt: false }
  readonly #options: S3StoreOptions
  readonly #place: S3Place
  readonly #keys: S3Keys
  readonly #spools: Spools
  readonly #copies: Copies
  readonly #availability: S3Availability
  readonly #publisher: S3Publisher
  readonly #removal: S3Removal
  readonly #trail: S3Trail

  constructor(options: S3StoreOptions, { place, threads }: S3StoreParts) {
    this.name = options.name
    this.#options = options
    this.#place = place
    this.#keys = new S3Keys(options.prefix)
    const scratch = layoutOf(options.scratchPath, options.scratchPath)
    this.#spools = new Spools(scratch, this.name)
    const modes = { file: 0o400, directory: 0o500, owner: undefined }
    const here: Place = { layout: scratch, modes, canClone: false }
    this.#copies = new Copies({
      layout: scratch,
      spools: this.#spools,
      size: threads.size,
      run: (kind, ask, signal) => threads.run(kind, ask, here, { signal }),
    })
    const ground = { place, keys: this.#keys }
    this.#availability = new S3Availability(options, { ...ground, scratch })
    const pathOf = (name: string) => this.pathOf(name)
    this.#publisher = new S3Publisher({ ...ground, copies: this.#copies, workPath: scratch.work, pathOf })
    this.#removal = new S3Removal(ground)
    this.#trail = new S3Trail(place, this.#keys.ofPrivate('trail/'))
  }

  /** Makes the bucket's prefix a store, on the operator's word only. */
  async createMarker(): Promise<void> {
    const { scratchPath, keeper } = this.#options
    await mkdir(scratchPath, { recursive: true })
    try {
      if (!(await headObject(this.#place, this.#keys.marker)))
        await refuseNestedPrefix(this.name, this.#place, this.#keys.prefix)
      const uuid = await createMarker(this.name, scratchPath, keeper)
      await putMarker(this.#place, this.#keys.marker, { uuid, name: this.name, ...(keeper ? { keeper } : {}) })
    } catch (error) {
      if (!(error instanceof Taken)) throw s3Error(this.#place, error, 'make a store of', this.#place.bucket)
    }
  }

  async state(): Promise<StoreState> {
    const why = await this.#availability.whyUnavailable()
    if (why) return { available: false, ...why }
    const { scratchPath, capacity } = this.#options
    // What does not fit on the scratch disk cannot arrive.
    const scratch = await measureSpace(scratchPath, scratchPath, { fullFraction: 1, reserve: 0 })
    return { available: true, free: Math.min(capacity, scratch.free), total: capacity, uuid: this.#availability.uuid! }
  }

  takeOver(): Promise<Keeper | undefined> {
    return this.#availability.takeOver()
  }

  pathOf(name: string): string {
    return `s3://${this.#place.bucket}/${this.#keys.of(name)}`
  }

  // ——— No staging: nobody else writes into a bucket of ours ———

  async openStaging(): Promise<string> {
    throw new LibrarianError('Unsupported', `Cannot stage at ${this.name}: it has no staging area; upload over HTTP`)
  }

  async removeStaging(): Promise<void> {}

  async *stagings(): AsyncIterable<string> {}

  // ——— Spool ———

  async openSpool(id: string, options: SpoolOptions = {}): Promise<Spool> {
    await this.#check()
    return this.#spools.open(id, options).catch(error => {
      throw systemError(error, 'open the spool', `${id} of store ${this.name}`)
    })
  }

  async spoolOffset(id: string): Promise<number> {
    await this.#check()
    return this.#spools.offset(id)
  }

  async removeSpool(id: string): Promise<void> {
    await this.#check()
    await this.#spools.remove(id)
  }

  async *spools(): AsyncIterable<string> {
    await this.#check()
    yield* this.#spools.ids()
  }

  // ——— Commit ———

  async prepare(works: readonly Work[], { signal }: { signal?: AbortSignal } = {}): Promise<Outcome<Prepared>[]> {
    signal?.throwIfAborted()
    try {
      await this.#check()
    } catch (error) {
      return works.map(() => failed(error))
    }
    const isFile = ({ origin }: Work) => origin.from !== 'spool' || origin.archive === undefined
    const prepared = (await this.#copies.prepare(works.filter(isFile), signal)).values()
    return works.map(work => (isFile(work) ? prepared.next().value! : failed(keepsNoTrees(this.name))))
  }

  async publish(works: readonly Publication[]): Promise<Outcome<Published>[]> {
    try {
      await this.#check()
      return await this.#publisher.publish(works)
    } catch (error) {
      return works.map(() => failed(error))
    }
  }

  async adopt({ name }: Publication): Promise<Published> {
    throw new RangeError(`Cannot adopt ${name}: an object is written whole or not at all, and is proven as it lies`)
  }

  seal(name: string): Promise<Stat | undefined> {
    return this.stat(name)
  }

  async replace(work: Publication, id: string): Promise<Published> {
    await this.#check()
    return this.#publisher.replace(work, id)
  }

  async settle(ids: readonly string[]): Promise<void> {
    await this.#check()
    await this.#copies.discard(ids)
  }

  async inspect(work: Publication): Promise<WorkState> {
    await this.#check()
    return this.#publisher.inspect(work)
  }

  async *works(): AsyncIterable<string> {
    await this.#check()
    yield* await this.#copies.ids()
  }

  // ——— Reading ———

  async stat(name: string): Promise<Stat | undefined> {
    await this.#check()
    const found = await this.#head(name)
    return found && { kind: 'file', size: found.size, fingerprint: fingerprintOf(found) }
  }

  async open(name: string, member?: string): Promise<OpenFile> {
    await this.#check()
    const found = member === undefined ? await this.#head(name) : undefined
    if (!found) throw notFound(name, member)
    return openObject(this.#place, this.#keys.of(name), name, found)
  }

  /** A request each is what opening costs. */
  async readWhole(wanted: readonly WantedWhole[]): Promise<(Whole | undefined)[]> {
    return wanted.map(() => undefined)
  }

  async examine(name: string, { checksum, trashId, nonces = [], signal }: ExamineOptions): Promise<Reading> {
    signal?.throwIfAborted()
    const why = await this.#availability.whyUnavailable()
    if (why) return { outcome: 'unavailable', reason: why.reason }
    const key = trashId === undefined ? this.#keys.of(name) : this.#keys.ofPrivate(`trash/${checkId(trashId)}`)
    try {
      const found = await headObject(this.#place, key)
      if (!found) return { outcome: 'missing', reason: `there is nothing under ${name}` }
      const challenge = new Challenge(nonces)
      const taking = { signal, alsoTake: (bytes: Uint8Array) => challenge.take(bytes) }
      const digests = await digestObject(this.#place, key, found, functionsFor(checksum), taking)
      const told = {
        size: found.size,
        checksum: inFormOf(checksum, digests),
        sha256: digests.sha256!,
        answers: challenge.answers(),
      }
      // Nobody tells us whether the gateway read its disks.
      return { outcome: 'read', ...told, manifest: undefined, fingerprint: fingerprintOf(found), medium: 'cache' }
    } catch (error) {
      signal?.throwIfAborted()
      const later = await this.#availability.whyUnavailable()
      if (later) return { outcome: 'unavailable', reason: later.reason }
      return { outcome: 'unreadable', reason: `${name}: ${(error as Error).message}` }
    }
  }

  async examineAll(works: readonly Examination[], options: ReadOptions = {}): Promise<Outcome<Reading>[]> {
    return await Promise.all(
      works.map(({ name, ...work }) => outcomeOf(() => this.examine(name, { ...work, ...options }), options.signal)),
    )
  }

  // ——— Removal ———

  async trash(name: string, id: string): Promise<void> {
    await this.#check()
    await this.#removal.trash(name, id)
  }

  async restore(name: string, id: string): Promise<void> {
    await this.#check()
    await this.#removal.restore(name, id)
  }

  async purge(id: string): Promise<void> {
    await this.#check()
    await this.#removal.purge(id)
  }

  async *removed(): AsyncIterable<Removed> {
    await this.#check()
    yield* this.#removal.removed()
  }

  // ——— Survival ———

  async appendTrail(records: readonly TrailRecord[]): Promise<void> {
    await this.#check()
    await speaking(this.#place, 'write', 'the trail', () => this.#trail.append(records))
    // As in a local store: what who takes it over may not have read is not told to anybody as done.
    await this.#check()
  }

  /** There is no such list. */
  async completeList(): Promise<void> {}

  async *readTrail(reading?: TrailReading): AsyncIterable<TrailRecord> {
    await this.#check()
    yield* this.#trail.read(reading)
  }

  async *scan({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<Scanned> {
    await this.#check()
    yield* scan({ place: this.#place, keys: this.#keys }, signal)
    await this.#check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spools[Symbol.asyncDispose]()
    this.#place.client.destroy()
  }

  // ——— Inside ———

  #check(): Promise<void> {
    return this.#availability.check()
  }

  async #head(name: string): Promise<S3Object | undefined> {
    return speaking(this.#place, 'look at', name, () => headObject(this.#place, this.#keys.of(name)))
  }
}

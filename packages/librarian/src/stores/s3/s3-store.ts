/**
 * A store in a bucket. An object appears whole or not at all and is never put over another, so the private copy of a work stays
 * on a local scratch disk and is put under its final name directly.
 */

import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { digestPath } from '@arriero/transfer'
import type { Log } from '../../log.ts'
import { Copies } from '../local/copies.ts'
import { checkId, type Layout, layoutOf } from '../local/layout.ts'
import { createMarker, readMarker } from '../local/marker.ts'
import { measureSpace } from '../local/space.ts'
import { Spools } from '../local/spools.ts'
import { codeOf, systemError } from '../local/system-error.ts'
import type { Place, PublishJob } from '../local/task.ts'
import type { Threads } from '../local/threads.ts'
import { whyNoMember } from '../names.ts'
import { failed, outcomeOf } from '../outcomes.ts'
import { fileExists, keepsNoTrees, notFound, notInTrash, notPrepared, unavailable } from '../refusals.ts'
import type {
  ExamineOptions,
  OpenFile,
  Outcome,
  Prepared,
  Publication,
  Published,
  Reading,
  Removed,
  Scanned,
  Spool,
  SpoolOptions,
  Stat,
  Store,
  StoreState,
  TrailRecord,
  Work,
  WorkState,
} from '../store.ts'
import { functionsFor, inFormOf } from '../wire-checksum.ts'
import { copyObject, isContentOf, isSame, whyNotFree } from './s3-contents.ts'
import { probe, readUuid } from './s3-marker.ts'
import {
  abortUploads,
  digestObject,
  headObject,
  listObjects,
  putObject,
  readObject,
  removeObject,
  type S3Content,
  type S3Object,
  type S3Place,
  statusOf,
  Taken,
} from './s3-objects.ts'
import { contentOf, S3Trail } from './s3-trail.ts'

export interface S3StoreOptions {
  readonly name: string
  /** Before all keys; empty, or ends with `/`. */
  readonly prefix: string
  /** A directory on a local disk, for what arrives. */
  readonly scratchPath: string
  /** Bytes that may be kept; buckets tell of no limit. */
  readonly capacity: number
  readonly uuid?: string | undefined
}

export interface S3StoreParts {
  readonly place: S3Place
  readonly threads: Threads
  readonly log: Log
}

/** Bytes of one piece that `open` gives. */
const PIECE = 8 << 20

export class S3Store implements Store {
  readonly name: string
  readonly type = 's3'
  readonly capabilities = { hasStaging: false, hasPaths: false, hasTrees: false, canAdopt: false }
  readonly #options: S3StoreOptions
  readonly #place: S3Place
  readonly #scratch: Layout
  readonly #spools: Spools
  readonly #copies: Copies
  readonly #trail: S3Trail
  #uuid: string | undefined
  #isProbed = false

  constructor(options: S3StoreOptions, { place, threads }: S3StoreParts) {
    this.name = options.name
    this.#options = options
    this.#place = place
    this.#uuid = options.uuid
    this.#scratch = layoutOf(options.scratchPath, options.scratchPath)
    this.#spools = new Spools(this.#scratch, this.name)
    const modes = { file: 0o400, directory: 0o500, owner: undefined }
    const here: Place = { layout: this.#scratch, modes, canClone: false }
    this.#copies = new Copies({
      layout: this.#scratch,
      spools: this.#spools,
      size: threads.size,
      run: (kind, ask, signal) => threads.run(kind, ask, here, { signal }),
    })
    this.#trail = new S3Trail(place, this.#privateKey('trail/'))
  }

  /** Makes the bucket's prefix a store, on the operator's word only. */
  async createMarker(): Promise<void> {
    const { scratchPath } = this.#options
    await mkdir(scratchPath, { recursive: true })
    const uuid = await createMarker(this.name, scratchPath)
    try {
      await putObject(
        this.#place,
        this.#markerKey,
        contentOf(Buffer.from(`${JSON.stringify({ uuid, name: this.name })}\n`)),
      )
    } catch (error) {
      if (!(error instanceof Taken)) throw this.#told(error, 'make a store of', this.#place.bucket)
    }
  }

  async state(): Promise<StoreState> {
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) return { available: false, reason }
    const { scratchPath, capacity } = this.#options
    // What does not fit on the scratch disk cannot arrive.
    const scratch = await measureSpace(scratchPath, scratchPath, { fullFraction: 1, reserve: 0 })
    return { available: true, free: Math.min(capacity, scratch.free), total: capacity, uuid: this.#uuid! }
  }

  pathOf(name: string): string {
    return `s3://${this.#place.bucket}/${this.#keyOf(name)}`
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
      const jobs = await this.#copies.jobsFor(works)
      return await Promise.all(jobs.map(job => outcomeOf(() => this.#publish(job))))
    } catch (error) {
      return works.map(() => failed(error))
    }
  }

  async adopt({ name }: Publication): Promise<Published> {
    throw new RangeError(`Cannot adopt ${name}: an object is written whole or not at all, and is proven as it lies`)
  }

  async replace(work: Publication, id: string): Promise<Published> {
    await this.#check()
    const key = this.#keyOf(work.name)
    const bad = await headObject(this.#place, key)
    if (bad && (await isContentOf(this.#place, work, key, bad))) return this.#published(work.name, bad)
    const [job] = await this.#copies.jobsFor([work])
    const content = await this.#contentOf(job!)
    if (!content) throw notPrepared(work.id, work.name)
    if (bad) await copyObject(this.#place, this.#privateKey(`quarantine/${checkId(id)}`), key, bad)
    return this.#speaking('repair', work.name, async () => {
      await putObject(this.#place, key, content, bad ? { replaces: bad.etag } : {})
      return this.#verified(work, key)
    })
  }

  async settle(ids: readonly string[]): Promise<void> {
    await this.#check()
    await this.#copies.discard(ids)
  }

  async inspect(work: Publication): Promise<WorkState> {
    await this.#check()
    const key = this.#keyOf(work.name)
    const found = await headObject(this.#place, key)
    if (found) return (await isContentOf(this.#place, work, key, found)) ? 'published' : 'foreign'
    if (await whyNotFree(this.#place, this.#options.prefix, work.name)) return 'foreign'
    const [job] = await this.#copies.jobsFor([work])
    return (await this.#contentOf({ ...job!, isKnown: false })) ? 'prepared' : 'absent'
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
    const { size, etag } = found
    const [place, key] = [this.#place, this.#keyOf(name)]
    return {
      size,
      fingerprint: fingerprintOf(found),
      fd: undefined,
      async *read(start, end, { signal } = {}) {
        if (end > size) throw new RangeError(`Cannot read ${name}: it must have ${end} bytes, it has ${size}`)
        for (let at = start; at < end; at += PIECE) {
          yield* readObject(place, key, { etag, start: at, end: Math.min(end, at + PIECE), signal })
        }
      },
      async [Symbol.asyncDispose]() {},
    }
  }

  async examine(name: string, { checksum, signal }: ExamineOptions): Promise<Reading> {
    signal?.throwIfAborted()
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) return { outcome: 'unavailable', reason }
    const key = this.#keyOf(name)
    try {
      const found = await headObject(this.#place, key)
      if (!found) return { outcome: 'missing', reason: `there is nothing under ${name}` }
      const digests = await digestObject(this.#place, key, found, functionsFor(checksum), signal)
      const told = { size: found.size, checksum: inFormOf(checksum, digests), sha256: digests.sha256! }
      // Nobody tells us whether the gateway read its disks.
      return { outcome: 'read', ...told, manifest: undefined, fingerprint: fingerprintOf(found), medium: 'cache' }
    } catch (error) {
      signal?.throwIfAborted()
      const later = await this.#whyUnavailable()
      if (later !== undefined) return { outcome: 'unavailable', reason: later }
      return { outcome: 'unreadable', reason: `${name}: ${(error as Error).message}` }
    }
  }

  // ——— Removal ———

  async trash(name: string, id: string): Promise<void> {
    await this.#check()
    const [key, kept] = [this.#keyOf(name), this.#privateKey(`trash/${checkId(id)}`)]
    await this.#speaking('trash', name, async () => {
      const found = await headObject(this.#place, key)
      if (!found) {
        if (await headObject(this.#place, kept)) return
        throw notFound(name)
      }
      await copyObject(this.#place, kept, key, found)
      await removeObject(this.#place, key)
    })
  }

  async restore(name: string, id: string): Promise<void> {
    await this.#check()
    const [key, kept] = [this.#keyOf(name), this.#privateKey(`trash/${checkId(id)}`)]
    await this.#speaking('restore', name, async () => {
      const [found, there] = [await headObject(this.#place, kept), await headObject(this.#place, key)]
      if (!found && there) return
      if (!found) throw notInTrash(name, id)
      const met =
        (there && !(await isSame(this.#place, [kept, found], [key, there])) && 'it is taken') ||
        (await whyNotFree(this.#place, this.#options.prefix, name))
      if (met) throw fileExists(name, met)
      if (!there) await copyObject(this.#place, key, kept, found)
      await removeObject(this.#place, kept)
    })
  }

  async purge(id: string): Promise<void> {
    await this.#check()
    for (const place of ['trash', 'quarantine'])
      await removeObject(this.#place, this.#privateKey(`${place}/${checkId(id)}`))
  }

  async *removed(): AsyncIterable<Removed> {
    await this.#check()
    for (const place of ['trash', 'quarantine'] as const) {
      const prefix = this.#privateKey(`${place}/`)
      for await (const { key } of listObjects(this.#place, prefix)) yield { id: key.slice(prefix.length), place }
    }
  }

  // ——— Survival ———

  async appendTrail(records: readonly TrailRecord[]): Promise<void> {
    await this.#check()
    await this.#speaking('write', 'the trail', () => this.#trail.append(records))
  }

  async *readTrail(): AsyncIterable<TrailRecord> {
    await this.#check()
    yield* this.#trail.read()
  }

  async *scan({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<Scanned> {
    await this.#check()
    const { prefix } = this.#options
    for await (const { key, size } of listObjects(this.#place, prefix)) {
      signal?.throwIfAborted()
      const name = key.slice(prefix.length)
      if (name.startsWith('.arriero/')) continue
      yield {
        name: whyNoMember(name) === undefined && name.length <= 256 ? name : undefined,
        shown: name,
        kind: 'file',
        size,
      }
    }
    await this.#check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spools[Symbol.asyncDispose]()
    this.#place.client.destroy()
  }

  // ——— Inside ———

  get #markerKey(): string {
    return this.#privateKey('marker.json')
  }

  #keyOf(name: string): string {
    return `${this.#options.prefix}${name}`
  }

  #privateKey(name: string): string {
    return `${this.#options.prefix}.arriero/${name}`
  }

  async #check(): Promise<void> {
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) throw unavailable(this.name, reason)
  }

  async #whyUnavailable(): Promise<string | undefined> {
    const scratch = await readMarker(this.#scratch)
    if ('reason' in scratch) return `its scratch disk: ${scratch.reason}`
    try {
      const found = await headObject(this.#place, this.#markerKey)
      if (!found) return `there is no marker ${this.#markerKey} in ${this.#place.bucket}`
      if (!this.#isProbed) await this.#makeSure(found)
      return undefined
    } catch (error) {
      return `${this.#place.bucket}: ${(error as Error).message || (error as Error).name}`
    }
  }

  async #makeSure(marker: S3Object): Promise<void> {
    const uuid = await readUuid(this.#place, this.#markerKey, marker)
    this.#uuid ??= uuid
    if (uuid !== this.#uuid) throw new Error(`another store is there: its marker has ${uuid}, not ${this.#uuid}`)
    await probe(this.#place, { marker: this.#markerKey, spare: this.#privateKey(`probe-${randomUUID()}`) })
    this.#isProbed = true
  }

  async #head(name: string): Promise<S3Object | undefined> {
    return this.#speaking('look at', name, () => headObject(this.#place, this.#keyOf(name)))
  }

  async #speaking<T>(action: string, what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw this.#told(error, action, what)
    }
  }

  #told(error: unknown, action: string, what: string): LibrarianError {
    if (error instanceof LibrarianError) return error
    if (statusOf(error) === undefined && codeOf(error) === undefined) return systemError(error, action, what)
    const met = statusOf(error) ?? codeOf(error)
    return new LibrarianError('StoreUnavailable', `Cannot ${action} ${what}: ${this.#place.bucket} answered ${met}`, {
      cause: error,
    })
  }

  async #publish(job: PublishJob): Promise<Published> {
    const key = this.#keyOf(job.name)
    return this.#speaking('publish', job.name, async () => {
      const there = await headObject(this.#place, key)
      if (there) return this.#sameOrRefused(job, key, there)
      const met = await whyNotFree(this.#place, this.#options.prefix, job.name)
      if (met) throw fileExists(job.name, met)
      const content = await this.#contentOf(job)
      if (!content) throw notPrepared(job.id, job.name)
      await abortUploads(this.#place, key)
      try {
        await putObject(this.#place, key, content)
      } catch (error) {
        const taken = error instanceof Taken ? await headObject(this.#place, key) : undefined
        if (!taken) throw error
        return this.#sameOrRefused(job, key, taken)
      }
      return this.#verified(job, key)
    })
  }

  async #sameOrRefused(work: Publication, key: string, there: S3Object): Promise<Published> {
    if (!(await isContentOf(this.#place, work, key, there))) throw fileExists(work.name, 'it leads to something else')
    return this.#published(work.name, there)
  }

  /** What came back from there is compared, and not only what was sent. */
  async #verified(work: Publication, key: string): Promise<Published> {
    const found = await headObject(this.#place, key)
    if (found?.size !== work.size || found.sha256 !== work.sha256) {
      throw new LibrarianError(
        'Internal',
        `Cannot publish ${work.name}: the bucket must have what was put, it has something else`,
      )
    }
    return this.#published(work.name, found)
  }

  #published(name: string, found: S3Object): Published {
    return { path: this.pathOf(name), fingerprint: fingerprintOf(found) }
  }

  /** The private copy on the scratch disk. */
  async #contentOf(job: PublishJob): Promise<S3Content | undefined> {
    for (const copy of job.copies) {
      const path = join(this.#scratch.work, copy)
      if (!job.isKnown) {
        const found = await digestPath(path, { functions: ['sha256'], links: 'refuse' }).catch(() => undefined)
        if (found?.kind !== job.kind || found.size !== job.size || found.sha256 !== job.sha256) continue
      }
      return { size: job.size, sha256: job.sha256, read: (start, end) => readFileRange(path, start, end) }
    }
    return undefined
  }
}

function fingerprintOf({ size, etag, modified }: S3Object): string {
  return `${etag}:${size}:${modified}`
}

async function* readFileRange(path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (start === end) return
  yield* createReadStream(path, { start, end: end - 1, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>
}

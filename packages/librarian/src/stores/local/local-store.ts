/** A store in a directory: plain files under their plain names, and `.arriero` for what is private (reliability 7). */
import { constants } from 'node:fs'
import { access, lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { LibrarianError } from '@arriero/api'
import type { Log } from '../../log.ts'
import { createSharedLook } from '../../shared-look.ts'
import { failed } from '../outcomes.ts'
import { atStore, unavailable } from '../refusals.ts'
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
import { errorOf } from './context.ts'
import { Copies } from './copies.ts'
import { checkId, isUuid, type Layout, layoutOf } from './layout.ts'
import { readMarker } from './marker.ts'
import type { Modes } from './modes.ts'
import { openFile } from './open-file.ts'
import { type FileSystemPowers, probe } from './probe.ts'
import { scan } from './scan.ts'
import { measureSpace, type SpaceOptions } from './space.ts'
import { Spools } from './spools.ts'
import { Stagings } from './stagings.ts'
import { Sums } from './sums.ts'
import { codeOf, systemError } from './system-error.ts'
import type { Place, TaskKind, Tasks } from './task.ts'
import type { Threads } from './threads.ts'
import { Trail } from './trail.ts'

export interface LocalStoreOptions extends SpaceOptions {
  readonly name: string
  /** Where files lie. Links in it are resolved. */
  readonly storePath: string
  readonly stagingPath: string
  /** Of the marker, as the catalogue knows it. Default: the one that is met first. */
  readonly uuid?: string | undefined
  /** Staging directories get mode 0775. */
  readonly groupWriteAfterStage: boolean
  readonly modes: Modes
}

export interface LocalStoreParts {
  readonly threads: Threads
  readonly log: Log
}

export class LocalStore implements Store {
  readonly name: string
  readonly type = 'local'
  readonly capabilities = { hasStaging: true, hasPaths: true, hasTrees: true, canAdopt: true }
  readonly #options: LocalStoreOptions
  readonly #layout: Layout
  readonly #threads: Threads
  readonly #log: Log
  readonly #copies: Copies
  readonly #spools: Spools
  readonly #trail: Trail
  readonly #sums: Sums
  /** Looked at anew for every question; questions of one moment share a look. */
  readonly #whyUnavailable = createSharedLook(async () => this.#noted(await this.#lookForDisk()))
  readonly #stagings: Stagings
  #uuid: string | undefined
  #otherUuid: string | undefined
  /** Why it was unavailable when somebody last looked. */
  #reason: string | undefined
  #powers: FileSystemPowers | undefined

  constructor(options: LocalStoreOptions, { threads, log }: LocalStoreParts) {
    this.name = options.name
    this.#options = options
    this.#uuid = options.uuid
    this.#layout = layoutOf(options.storePath, options.stagingPath)
    this.#threads = threads
    this.#log = log
    this.#spools = new Spools(this.#layout, options.name)
    this.#copies = new Copies({
      layout: this.#layout,
      spools: this.#spools,
      size: threads.size,
      run: (kind, ask, signal) => this.#run(kind, ask, signal),
    })
    this.#stagings = new Stagings({
      spare: this.#layout.spare,
      mode: options.groupWriteAfterStage ? 0o775 : undefined,
      run: (kind, ask) => this.#run(kind, ask),
    })
    this.#trail = new Trail(this.#layout.trail, log)
    this.#sums = new Sums(this.#layout.sums)
  }

  async state(): Promise<StoreState> {
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) return { available: false, reason, otherUuid: this.#otherUuid }
    try {
      const space = await measureSpace(this.#layout.root, this.#layout.staging, this.#options)
      const { dev } = await stat(this.#layout.root)
      return { available: true, ...space, uuid: this.#uuid!, device: String(dev) }
    } catch (error) {
      return { available: false, reason: systemError(error, 'measure', this.#layout.root).message }
    }
  }

  pathOf(name: string): string {
    return `${this.#layout.root}/${name}`
  }

  // ——— Staging ———

  async openStaging(id: string, uploadName: string): Promise<string> {
    await this.#check()
    await this.#stagings.open(id).catch(error => {
      throw error instanceof LibrarianError ? atStore(this.name, error) : error
    })
    return `${join(this.#layout.staging, id)}/${uploadName}`
  }

  async removeStaging(id: string): Promise<void> {
    await this.#check()
    await this.#stagings.remove(id)
  }

  async *stagings(): AsyncIterable<string> {
    await this.#check()
    for (const entry of await readdir(this.#layout.staging, { withFileTypes: true })) {
      if (entry.isDirectory() && isUuid(entry.name)) yield entry.name
    }
  }

  // ——— Spool ———

  async openSpool(id: string, options: SpoolOptions = {}): Promise<Spool> {
    await this.#check()
    return this.#told('open the spool', id, () => this.#spools.open(id, options))
  }

  async spoolOffset(id: string): Promise<number> {
    await this.#check()
    return this.#told('look at the spool', id, () => this.#spools.offset(id))
  }

  async removeSpool(id: string): Promise<void> {
    await this.#check()
    await this.#told('remove the spool', id, () => this.#spools.remove(id))
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
    const outcomes = await this.#copies.prepare(works, signal)
    return Promise.all(outcomes.map(outcome => this.#judged(outcome)))
  }

  async publish(works: readonly Publication[]): Promise<Outcome<Published>[]> {
    try {
      await this.#check()
      const answers = await this.#run('publish', await this.#copies.jobsFor(works))
      return await Promise.all(
        answers.map((answer, index) => {
          if (!answer.ok) return this.#judged(failed(errorOf(answer.error)))
          this.#copies.forget(works[index]!)
          return { ok: true as const, value: answer.value }
        }),
      )
    } catch (error) {
      return await Promise.all(works.map(() => this.#judged(failed(error))))
    }
  }

  async adopt(work: Publication): Promise<Published> {
    await this.#check()
    const [job] = await this.#copies.jobsFor([work])
    const published = await this.#run('adopt', job!)
    this.#copies.forget(work)
    return published
  }

  async replace(work: Publication, id: string): Promise<Published> {
    await this.#check()
    const [job] = await this.#copies.jobsFor([work])
    const published = await this.#run('replace', { ...job!, quarantineId: checkId(id) })
    this.#copies.forget(work)
    return published
  }

  async settle(ids: readonly string[]): Promise<void> {
    await this.#check()
    await this.#copies.discard(ids)
  }

  async inspect(work: Publication): Promise<WorkState> {
    await this.#check()
    const [job] = await this.#copies.jobsFor([work])
    return this.#run('inspect', job!)
  }

  async *works(): AsyncIterable<string> {
    await this.#check()
    yield* await this.#copies.ids()
  }

  // ——— Reading ———

  async stat(name: string): Promise<Stat | undefined> {
    const stat = await this.#unlessGone(() => this.#run('stat', name))
    if (stat) return stat
    // Nothing there is believed of the right disk only.
    await this.#check()
    return undefined
  }

  async open(name: string, member?: string): Promise<OpenFile> {
    try {
      return await openFile(this.#layout.root, name, member)
    } catch (error) {
      await this.#check()
      throw error
    }
  }

  async examine(name: string, { checksum, isDirect = false, signal }: ExamineOptions): Promise<Reading> {
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) return { outcome: 'unavailable', reason }
    const isAsked = isDirect && this.#powers?.canReadDirectly === true
    const reading = await this.#run('examine', { name, checksum, isDirect: isAsked }, signal)
    // What is not there may be so because the disk went meanwhile (B4).
    const later = reading.outcome === 'read' ? undefined : await this.#whyUnavailable()
    return later === undefined ? reading : { outcome: 'unavailable', reason: later }
  }

  // ——— Removal ———

  async trash(name: string, id: string): Promise<void> {
    await this.#check()
    await this.#run('trash', { name, id })
  }

  async restore(name: string, id: string): Promise<void> {
    await this.#check()
    await this.#run('restore', { name, id })
  }

  async purge(id: string): Promise<void> {
    await this.#check()
    await this.#run('purge', id)
  }

  async *removed(): AsyncIterable<Removed> {
    await this.#check()
    for (const place of ['trash', 'quarantine'] as const) {
      for (const id of await readdir(this.#layout[place])) yield { id, place }
    }
  }

  // ——— Survival ———

  async appendTrail(records: readonly TrailRecord[]): Promise<void> {
    await this.#check()
    await this.#told('write', 'the trail', () => Promise.all([this.#trail.append(records), this.#sums.note(records)]))
  }

  async *readTrail(): AsyncIterable<TrailRecord> {
    await this.#check()
    yield* this.#trail.read()
  }

  async *scan({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<Scanned> {
    await this.#check()
    yield* scan(this.#layout.root, signal)
    // A disk that went in the middle would look like many files missing.
    await this.#check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spools[Symbol.asyncDispose]()
    if ((await this.#whyUnavailable()) !== undefined) return
    await this.#stagings[Symbol.asyncDispose]()
    await this.#sums.flush()
  }

  // ——— Inside ———

  async #check(): Promise<void> {
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) throw unavailable(this.name, reason)
  }

  async #lookForDisk(): Promise<string | undefined> {
    const marker = await readMarker(this.#layout)
    this.#otherUuid = undefined
    if ('reason' in marker) return marker.reason
    this.#uuid ??= marker.uuid
    if (marker.uuid !== this.#uuid) {
      this.#otherUuid = marker.uuid
      return `another disk is there: its marker has ${marker.uuid}, not ${this.#uuid}`
    }
    const hasStaging = await lstat(this.#layout.staging).catch(() => undefined)
    if (!hasStaging?.isDirectory()) return `its staging area ${this.#layout.staging} is not there`
    try {
      await access(this.#layout.work, constants.W_OK)
      if (this.#powers === undefined) {
        this.#powers = probe(this.name, this.#layout)
        await this.#mendSums()
      }
      return undefined
    } catch (error) {
      if (codeOf(error) === 'EROFS') return 'its disk is mounted read-only'
      // A full disk that was a store before still is one; what it can do is found out when there is room.
      const isFull = error instanceof LibrarianError && error.code === 'NoSpace'
      return isFull && this.#options.uuid !== undefined ? undefined : (error as Error).message
    }
  }

  /** What a killed process has left. The check list is for people: without it the store does its work. */
  async #mendSums(): Promise<void> {
    await this.#sums
      .flush()
      .catch(error => this.#log.warn({ store: this.name, err: error }, 'SHA256SUMS could not be brought up to date'))
  }

  /** That its disk went, and that it is back, is told once each, however many ask. */
  #noted(reason: string | undefined): string | undefined {
    const before = this.#reason
    this.#reason = reason
    if (reason !== undefined && before === undefined) {
      this.#log.error(
        { store: this.name, reason },
        'a store is unavailable; it is used again by itself when its disk is back',
      )
    }
    if (reason === undefined && before !== undefined) this.#log.info({ store: this.name }, 'a store is available again')
    return reason
  }

  #run<Kind extends TaskKind>(
    kind: Kind,
    ask: Tasks[Kind]['ask'],
    signal?: AbortSignal,
  ): Promise<Tasks[Kind]['answer']> {
    const { modes } = this.#options
    const place: Place = { layout: this.#layout, modes, canClone: this.#powers?.canClone ?? false }
    return this.#threads.run(kind, ask, place, { signal })
  }

  async #told<T>(action: string, what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw error instanceof RangeError ? error : systemError(error, action, `${what} of store ${this.name}`)
    }
  }

  async #judged<T>(outcome: Outcome<T>): Promise<Outcome<T>> {
    if (outcome.ok) return outcome
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) return failed(unavailable(this.name, reason))
    return failed(atStore(this.name, outcome.error))
  }

  /** An error of a disk that is not there is about the disk. */
  async #unlessGone<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      await this.#check()
      throw error
    }
  }
}

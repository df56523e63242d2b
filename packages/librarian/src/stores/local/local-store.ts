/** A store in a directory: plain files under their plain names, and `.arriero` for what is private (reliability 7). */
import { chmod, lstat, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import type { PathFunction } from '@arriero/transfer'
import type { Log } from '../../log.ts'
import { failed } from '../outcomes.ts'
import { unavailable } from '../refusals.ts'
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
  Stat,
  Store,
  StoreState,
  TrailRecord,
  Work,
  WorkState,
} from '../store.ts'
import { errorOf } from './context.ts'
import { Copies } from './copies.ts'
import { createGroup } from './group.ts'
import { checkId, isUuid, type Layout, layoutOf } from './layout.ts'
import { readMarker } from './marker.ts'
import type { Modes } from './modes.ts'
import { openFile } from './open-file.ts'
import { type FileSystemPowers, probe } from './probe.ts'
import { scan } from './scan.ts'
import { createSharedLook } from './shared-look.ts'
import { measureSpace, type SpaceOptions } from './space.ts'
import { Spools } from './spools.ts'
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
  readonly capabilities = { hasStaging: true, hasPaths: true }
  readonly #options: LocalStoreOptions
  readonly #layout: Layout
  readonly #threads: Threads
  readonly #log: Log
  readonly #copies: Copies
  readonly #spools: Spools
  readonly #trail: Trail
  readonly #sums: Sums
  /** Looked at anew for every question; questions of one moment share a look. */
  readonly #whyUnavailable = createSharedLook(() => this.#lookForDisk())
  readonly #removeStagings = createGroup<string>(async ids => {
    const answers = await this.#run('removeStaging', ids)
    return answers.map(answer => (answer.ok ? undefined : errorOf(answer.error)))
  })
  #uuid: string | undefined
  #powers: FileSystemPowers | undefined

  constructor(options: LocalStoreOptions, { threads, log }: LocalStoreParts) {
    this.name = options.name
    this.#options = options
    this.#uuid = options.uuid
    this.#layout = layoutOf(options.storePath, options.stagingPath)
    this.#threads = threads
    this.#log = log
    this.#spools = new Spools(this.#layout)
    this.#copies = new Copies({
      layout: this.#layout,
      spools: this.#spools,
      size: threads.size,
      run: (kind, ask, signal) => this.#run(kind, ask, signal),
    })
    this.#trail = new Trail(this.#layout.trail, log)
    this.#sums = new Sums(this.#layout.sums)
  }

  async state(): Promise<StoreState> {
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) return { available: false, reason }
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
    if (!isUuid(id))
      throw new RangeError(`Cannot stage as ${JSON.stringify(id)}: a staging directory is named by a UUID`)
    const path = join(this.#layout.staging, id)
    try {
      await mkdir(path)
      if (this.#options.groupWriteAfterStage) await chmod(path, 0o775)
    } catch (error) {
      const isThere = codeOf(error) === 'EEXIST' && (await lstat(path)).isDirectory()
      if (!isThere) throw systemError(error, 'make the staging directory', path)
    }
    return `${path}/${uploadName}`
  }

  async removeStaging(id: string): Promise<void> {
    await this.#check()
    await this.#removeStagings(id)
  }

  async *stagings(): AsyncIterable<string> {
    await this.#check()
    for (const entry of await readdir(this.#layout.staging, { withFileTypes: true })) {
      if (entry.isDirectory() && isUuid(entry.name)) yield entry.name
    }
  }

  // ——— Spool ———

  async openSpool(id: string, { functions = ['xxh3'] }: { functions?: readonly PathFunction[] } = {}): Promise<Spool> {
    await this.#check()
    return this.#told('open the spool', id, () => this.#spools.open(id, functions))
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
    return this.#copies.prepare(works, signal)
  }

  async publish(works: readonly Publication[]): Promise<Outcome<Published>[]> {
    try {
      await this.#check()
      const answers = await this.#run('publish', await this.#copies.jobsFor(works))
      return answers.map((answer, index) => {
        if (!answer.ok) return failed(errorOf(answer.error))
        this.#copies.forget(works[index]!)
        return { ok: true, value: answer.value }
      })
    } catch (error) {
      return works.map(() => failed(error))
    }
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
    const isAsked = isDirect && this.#powers!.canReadDirectly
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
    if ((await this.#whyUnavailable()) === undefined) await this.#sums.flush()
  }

  // ——— Inside ———

  async #check(): Promise<void> {
    const reason = await this.#whyUnavailable()
    if (reason !== undefined) throw unavailable(this.name, reason)
  }

  async #lookForDisk(): Promise<string | undefined> {
    const marker = await readMarker(this.#layout)
    if ('reason' in marker) return marker.reason
    this.#uuid ??= marker.uuid
    if (marker.uuid !== this.#uuid) return `another disk is there: its marker has ${marker.uuid}, not ${this.#uuid}`
    const hasStaging = await lstat(this.#layout.staging).catch(() => undefined)
    if (!hasStaging?.isDirectory()) return `its staging area ${this.#layout.staging} is not there`
    try {
      this.#powers ??= probe(this.name, this.#layout)
      return undefined
    } catch (error) {
      this.#log.error({ store: this.name, error }, 'the store cannot be used')
      return (error as Error).message
    }
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
      throw error instanceof RangeError ? error : systemError(error, action, what)
    }
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

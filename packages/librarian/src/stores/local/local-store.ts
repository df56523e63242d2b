/** A store in a directory: plain files under their plain names, and `.arriero` for what is private (reliability 7). */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { LibrarianError } from '@arriero/api'
import type { Log } from '../../log.ts'
import type { Keeper } from '../keeper.ts'
import type { Life } from '../life.ts'
import { failed } from '../outcomes.ts'
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
import { Availability } from './availability.ts'
import { errorOf } from './context.ts'
import { Copies } from './copies.ts'
import { checkId, isUuid, type Layout, layoutOf } from './layout.ts'
import type { Modes } from './modes.ts'
import { openFile } from './open-file.ts'
import { scan } from './scan.ts'
import { measureSpace, type SpaceOptions } from './space.ts'
import { Spools } from './spools.ts'
import { Stagings } from './stagings.ts'
import { Sums } from './sums.ts'
import { systemError } from './system-error.ts'
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
  /** Whose store it must be. Default: nobody asks. */
  readonly keeper?: Keeper | undefined
  /** A marker without a keeper gets this one. Default: it stays without. */
  readonly mayClaim?: boolean | undefined
  /** That it is another's is no alarm until it was taken over. Default: false. */
  readonly isToBeTakenOver?: boolean | undefined
  /** Of that catalogue. Default: its copies are not told from it. */
  readonly life?: Life | undefined
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
  readonly #copies: Copies
  readonly #spools: Spools
  readonly #trail: Trail
  readonly #sums: Sums
  readonly #stagings: Stagings
  readonly #availability: Availability

  constructor(options: LocalStoreOptions, { threads, log }: LocalStoreParts) {
    this.name = options.name
    this.#options = options
    this.#layout = layoutOf(options.storePath, options.stagingPath)
    this.#threads = threads
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
    this.#availability = new Availability(options, { layout: this.#layout, sums: this.#sums, log })
  }

  async state(): Promise<StoreState> {
    const why = await this.#availability.whyUnavailable()
    if (why) return { available: false, ...why }
    try {
      const space = await measureSpace(this.#layout.root, this.#layout.staging, this.#options)
      const { dev } = await stat(this.#layout.root)
      return { available: true, ...space, uuid: this.#availability.uuid!, device: String(dev) }
    } catch (error) {
      return { available: false, reason: systemError(error, 'measure', this.#layout.root).message }
    }
  }

  takeOver(): Promise<Keeper | undefined> {
    return this.#availability.takeOver()
  }

  pathOf(name: string): string {
    return `${this.#layout.root}/${name}`
  }

  // ——— Staging ———

  async openStaging(id: string, uploadName: string, { leadsIn = false } = {}): Promise<string> {
    await this.#check()
    await this.#stagings.open(id).catch(async error => {
      throw error instanceof LibrarianError ? await this.#availability.explained(error) : error
    })
    if (leadsIn) await this.#stagings.leadIn(join(this.#layout.staging, id), uploadName)
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
    return Promise.all(outcomes.map(outcome => this.#availability.judged(outcome)))
  }

  async publish(works: readonly Publication[]): Promise<Outcome<Published>[]> {
    try {
      await this.#check()
      const answers = await this.#run('publish', await this.#copies.jobsFor(works))
      return await Promise.all(
        answers.map((answer, index) => {
          if (!answer.ok) return this.#availability.judged(failed(errorOf(answer.error)))
          this.#copies.forget(works[index]!)
          return { ok: true as const, value: answer.value }
        }),
      )
    } catch (error) {
      return await Promise.all(works.map(() => this.#availability.judged(failed(error))))
    }
  }

  async adopt(work: Publication): Promise<Published> {
    await this.#check()
    const [job] = await this.#copies.jobsFor([work])
    const published = await this.#run('adopt', job!)
    this.#copies.forget(work)
    return published
  }

  async seal(name: string): Promise<Stat | undefined> {
    await this.#check()
    return (await this.#availability.unlessGone(() => this.#run('seal', name))) ?? undefined
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
    const stat = await this.#availability.unlessGone(() => this.#run('stat', name))
    if (stat) return stat
    // Nothing there is believed of the right disk only.
    await this.#check()
    return undefined
  }

  async open(name: string, member?: string): Promise<OpenFile> {
    return this.#availability.unlessGone(() => openFile(this.#layout.root, name, member))
  }

  async readWhole(wanted: readonly WantedWhole[], room?: SharedArrayBuffer): Promise<(Whole | undefined)[]> {
    if ((await this.#availability.whyUnavailable()) !== undefined) return wanted.map(() => undefined)
    return (await this.#run('readWhole', { wanted, room })).map(read => read ?? undefined)
  }

  async examine(name: string, { kind, checksum, trashId, ...options }: ExamineOptions): Promise<Reading> {
    const [outcome] = await this.examineAll([{ name, kind, checksum, trashId }], options)
    if (outcome?.ok) return outcome.value
    throw outcome?.error ?? new LibrarianError('Internal', `Nothing was said of ${name}`)
  }

  async examineAll(works: readonly Examination[], options: ReadOptions = {}): Promise<Outcome<Reading>[]> {
    const { isDirect = false, nonces, signal } = options
    const why = await this.#availability.whyUnavailable()
    if (why) return works.map(() => ({ ok: true, value: { outcome: 'unavailable', reason: why.reason } }))
    const isAsked = isDirect && this.#availability.powers?.canReadDirectly === true
    const more = { isDirect: isAsked, ...(nonces && { nonces }) }
    const jobs = works.map(({ name, checksum, trashId }) => ({ name, checksum, ...(trashId && { trashId }), ...more }))
    const answers = await this.#run('examine', jobs, signal)
    // What is not there may be so because the disk went meanwhile (B4).
    const isAllRead = answers.every(answer => answer.ok && answer.value.outcome === 'read')
    const later = isAllRead ? undefined : await this.#availability.whyUnavailable()
    return answers.map(answer => {
      if (!answer.ok) return failed(errorOf(answer.error))
      if (later === undefined || answer.value.outcome === 'read') return answer
      return { ok: true, value: { outcome: 'unavailable', reason: later.reason } }
    })
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
    // Who takes the store over reads the trail after that: what it may not have read is not told to anybody as done.
    await this.#check()
  }

  async completeList(records: readonly TrailRecord[]): Promise<void> {
    await this.#check()
    await this.#told('write', 'the check list', () => this.#sums.complete(records))
  }

  async *readTrail(reading?: TrailReading): AsyncIterable<TrailRecord> {
    await this.#check()
    yield* this.#trail.read(reading)
    // A disk that went in the middle would look like a broken trail.
    await this.#check()
  }

  async *scan({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<Scanned> {
    await this.#check()
    yield* scan(this.#layout.root, signal)
    // A disk that went in the middle would look like many files missing.
    await this.#check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spools[Symbol.asyncDispose]()
    if ((await this.#availability.whyUnavailable()) !== undefined) return
    await this.#stagings[Symbol.asyncDispose]()
    await this.#sums.flush()
  }

  // ——— Inside ———

  #check(): Promise<void> {
    return this.#availability.check()
  }

  #run<Kind extends TaskKind>(
    kind: Kind,
    ask: Tasks[Kind]['ask'],
    signal?: AbortSignal,
  ): Promise<Tasks[Kind]['answer']> {
    const { modes } = this.#options
    const place: Place = { layout: this.#layout, modes, canClone: this.#availability.powers?.canClone ?? false }
    return this.#threads.run(kind, ask, place, { signal })
  }

  async #told<T>(action: string, what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      if (error instanceof RangeError) throw error
      throw await this.#availability.explained(systemError(error, action, `${what} of store ${this.name}`))
    }
  }
}

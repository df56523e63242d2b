/** The store's twin for tests: the same steps and refusals, in memory, and with hands to stage, damage and take away. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Keeper, othersStore } from './keeper.ts'
import {
  answersOf,
  bytesOf,
  checkMembers,
  copyOf,
  describeContent,
  isContentOf,
  type MemoryContent,
  sizeOf,
  unpackContent,
} from './memory-content.ts'
import { type MemoryFile, MemoryFiles } from './memory-files.ts'
import { MemorySpool } from './memory-spool.ts'
import { openBytes } from './open-bytes.ts'
import { outcomeOf } from './outcomes.ts'
import { fileExists, mismatch, notFound, notInTrash, notPrepared, stagedNotFound, unavailable } from './refusals.ts'
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
  Stat,
  Store,
  StoreState,
  TrailReading,
  TrailRecord,
  Unavailable,
  WantedWhole,
  Whole,
  Work,
  WorkState,
} from './store.ts'
import { refuseBreak } from './trail-break.ts'

export interface MemoryStoreOptions {
  /** Whose it must be. Default: nobody asks. */
  readonly keeper?: Keeper
  /** Default: `memory`. */
  readonly name?: string
  /** Bytes that fit in all. Default: 1 GiB. */
  readonly total?: number
}

export class MemoryStore implements Store {
  readonly name: string
  readonly type = 'memory'
  readonly capabilities = { hasStaging: true, hasPaths: false, hasTrees: true, canAdopt: true }
  /** Set it, and the store is not available. */
  unavailableBecause: string | undefined
  /** Whose it is: another one's, and it is not available. */
  keptBy: Keeper | undefined
  readonly #keeper: Keeper | undefined
  /** Set it, and from this record on nothing of the trail can be believed. */
  trailBrokenAt: number | undefined
  readonly #total: number
  readonly #uuid = randomUUID()
  readonly #stagings = new Map<string, Map<string, MemoryContent>>()
  readonly #spools = new Map<string, MemorySpool>()
  readonly #works = new Map<string, Map<number, MemoryContent>>()
  readonly #files = new MemoryFiles()
  readonly #trash = new Map<string, MemoryFile>()
  readonly #trashedAs = new Map<string, string>()
  readonly #quarantine = new Map<string, MemoryFile>()
  readonly #unreadable = new Set<string>()
  readonly #trail: TrailRecord[] = []
  #directory: string | undefined

  constructor({ name = 'memory', total = 2 ** 30, keeper }: MemoryStoreOptions = {}) {
    this.name = name
    this.#keeper = keeper
    this.keptBy = keeper
    this.#total = total
  }

  // ——— What other programs would do ———

  /** Puts an upload where `openStaging` said. */
  stage(id: string, uploadName: string, content: MemoryContent): void {
    this.#staging(id).set(uploadName, copyOf(content))
  }

  /** Bit rot: other content under a name, or in the place of a tree's member, which nobody was told of. */
  /** Puts other content under a name, and it looks as before: the bits have rotted. */
  rot(name: string, content: MemoryContent): void {
    this.#files.putBack(name, { ...this.#files.get(name)!, content: copyOf(content) })
  }

  damage(path: string, content: MemoryContent): void {
    this.#files.damage(path, copyOf(content))
  }

  /** A medium that gives no bytes any more. */
  makeUnreadable(name: string): void {
    this.#unreadable.add(name)
  }

  /** Somebody removed it by hand. */
  lose(name: string): void {
    this.#files.delete(name)
  }

  /** What lies under a name, and what of it lies in the trash: for who counts copies. */
  contentsOf(name: string): { readonly kept: MemoryContent | undefined; readonly trashed: readonly MemoryContent[] } {
    const trashed = [...this.#trash].flatMap(([id, { content }]) => (this.#trashedAs.get(id) === name ? [content] : []))
    return { kept: this.#files.get(name)?.content, trashed }
  }

  // ——— The store ———

  async state(): Promise<StoreState> {
    const why = this.#whyUnavailable()
    if (why) return { available: false, ...why }
    return { available: true, free: Math.max(0, this.#total - this.#used()), total: this.#total, uuid: this.#uuid }
  }

  async takeOver(): Promise<Keeper | undefined> {
    const before = othersStore(this.keptBy, this.#keeper)?.otherKeeper
    this.keptBy = this.#keeper
    return before
  }

  pathOf(name: string): string {
    return `/memory/${this.name}/${name}`
  }

  async openStaging(id: string, uploadName: string): Promise<string> {
    this.#check()
    this.#staging(id)
    return `/memory/${this.name}-staging/${id}/${uploadName}`
  }

  async removeStaging(id: string): Promise<void> {
    this.#check()
    this.#stagings.delete(id)
  }

  async *stagings(): AsyncIterable<string> {
    this.#check()
    yield* [...this.#stagings.keys()]
  }

  async openSpool(id: string): Promise<Spool> {
    this.#check()
    const spool = this.#spools.get(id) ?? new MemorySpool(() => join(this.#realDirectory(), id))
    this.#spools.set(id, spool)
    return spool
  }

  async spoolOffset(id: string): Promise<number> {
    this.#check()
    return this.#spools.get(id)?.offset ?? 0
  }

  async removeSpool(id: string): Promise<void> {
    this.#check()
    this.#spools.delete(id)
  }

  async *spools(): AsyncIterable<string> {
    this.#check()
    yield* [...this.#spools.keys()]
  }

  async prepare(works: readonly Work[], { signal }: { signal?: AbortSignal } = {}): Promise<Outcome<Prepared>[]> {
    signal?.throwIfAborted()
    return Promise.all(works.map(work => outcomeOf(() => this.#prepare(work), signal)))
  }

  async publish(works: readonly Publication[]): Promise<Outcome<Published>[]> {
    const outcomes: Outcome<Published>[] = []
    for (const work of works) outcomes.push(await outcomeOf(() => this.#publish(work)))
    return outcomes
  }

  async adopt(work: Publication): Promise<Published> {
    this.#check()
    const met = this.#files.get(work.name)
    if (!met) return await this.#publish(work)
    if (!(await isContentOf(met.content, work))) throw fileExists(work.name, 'it was changed after it was read')
    const copy = this.#works.get(work.id)?.get(work.token)
    if (copy) this.#files.put(work.name, copy)
    // It is the file now; taken over twice, it would look like another one.
    this.#works.delete(work.id)
    return this.#published(work.name)
  }

  async replace(work: Publication, id: string): Promise<Published> {
    this.#check()
    const good = await this.#privateCopy(work)
    const bad = this.#files.get(work.name)
    if (bad && !(await isContentOf(bad.content, work))) this.#quarantine.set(id, bad)
    this.#files.put(work.name, good)
    this.#unreadable.delete(work.name)
    return this.#published(work.name)
  }

  async settle(ids: readonly string[]): Promise<void> {
    this.#check()
    for (const id of ids) this.#works.delete(id)
  }

  async inspect(work: Publication): Promise<WorkState> {
    this.#check()
    const there = this.#files.get(work.name)
    if (there) return (await isContentOf(there.content, work)) ? 'published' : 'foreign'
    if (this.#files.whyNotFree(work.name)) return 'foreign'
    const copy = this.#works.get(work.id)?.get(work.token)
    return copy && (await isContentOf(copy, work)) ? 'prepared' : 'absent'
  }

  async *works(): AsyncIterable<string> {
    this.#check()
    yield* [...this.#works.keys()]
  }

  async stat(name: string): Promise<Stat | undefined> {
    this.#check()
    const kept = this.#files.get(name)
    if (!kept) return undefined
    const { content, fingerprint } = kept
    return content instanceof Uint8Array
      ? { kind: 'file', size: content.length, fingerprint }
      : { kind: 'tree', size: 0, fingerprint }
  }

  seal(name: string): Promise<Stat | undefined> {
    return this.stat(name)
  }

  async open(name: string, member?: string): Promise<OpenFile> {
    this.#check()
    const kept = this.#files.get(name)
    const bytes = kept && bytesOf(kept.content, member)
    if (!kept || !bytes) throw notFound(name, member)
    return openBytes(bytes, kept.fingerprint, this.pathOf(name))
  }

  async readWhole(wanted: readonly WantedWhole[]): Promise<(Whole | undefined)[]> {
    return wanted.map(({ name, size }) => {
      const kept = this.#whyUnavailable() || this.#unreadable.has(name) ? undefined : this.#files.get(name)
      const bytes = kept && bytesOf(kept.content, undefined)
      return kept && bytes?.length === size ? { bytes, fingerprint: kept.fingerprint } : undefined
    })
  }

  async examine(name: string, { checksum, trashId, nonces = [], signal }: ExamineOptions): Promise<Reading> {
    signal?.throwIfAborted()
    const why = this.#whyUnavailable()
    if (why) return { outcome: 'unavailable', reason: why.reason }
    const kept = trashId === undefined ? this.#files.get(name) : this.#trash.get(trashId)
    if (!kept) return { outcome: 'missing', reason: `there is nothing under ${name}` }
    if (this.#unreadable.has(name)) return { outcome: 'unreadable', reason: `${name}: EIO` }
    const { kind: _, ...description } = await describeContent(kept.content, checksum)
    const answers = answersOf(kept.content, nonces)
    return { outcome: 'read', ...description, fingerprint: kept.fingerprint, medium: 'medium', answers }
  }

  examineAll(works: readonly Examination[], options: ReadOptions = {}): Promise<Outcome<Reading>[]> {
    return Promise.all(works.map(({ name, ...work }) => outcomeOf(() => this.examine(name, { ...work, ...options }))))
  }

  async trash(name: string, id: string): Promise<void> {
    this.#check()
    const kept = this.#files.get(name)
    if (!kept && this.#trash.has(id)) return
    if (!kept) throw notFound(name)
    this.#trash.set(id, kept)
    this.#trashedAs.set(id, name)
    this.#files.delete(name)
  }

  async restore(name: string, id: string): Promise<void> {
    this.#check()
    const kept = this.#trash.get(id)
    if (!kept && this.#files.has(name)) return
    if (!kept) throw notInTrash(name, id)
    const met = this.#files.has(name) ? 'it is taken' : this.#files.whyNotFree(name)
    if (met) throw fileExists(name, met)
    this.#files.putBack(name, kept)
    this.#trash.delete(id)
  }

  async purge(id: string): Promise<void> {
    this.#check()
    this.#trash.delete(id)
    this.#quarantine.delete(id)
  }

  async *removed(): AsyncIterable<Removed> {
    this.#check()
    for (const id of [...this.#trash.keys()]) yield { id, place: 'trash' }
    for (const id of [...this.#quarantine.keys()]) yield { id, place: 'quarantine' }
  }

  async appendTrail(records: readonly TrailRecord[]): Promise<void> {
    this.#check()
    this.#trail.push(...structuredClone(records))
  }

  /** There is no such list. */
  async completeList(): Promise<void> {}

  async *readTrail({ report = refuseBreak, disbelieve }: TrailReading = {}): AsyncIterable<TrailRecord> {
    this.#check()
    const records = structuredClone(this.#trail)
    const { trailBrokenAt: brokenAt } = this
    if (brokenAt !== undefined)
      report({ place: `record ${brokenAt}`, reason: 'it must name the one before it, it names another' })
    yield* records.slice(0, brokenAt)
    if (brokenAt !== undefined) for (const record of records.slice(brokenAt)) disbelieve?.(record)
  }

  async *scan(): AsyncIterable<Scanned> {
    this.#check()
    yield* this.#files.scan()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true })
    this.#directory = undefined
  }

  // ——— Inside ———

  #check(): void {
    const why = this.#whyUnavailable()
    if (why) throw unavailable(this.name, why)
  }

  #whyUnavailable(): Unavailable | undefined {
    if (this.unavailableBecause !== undefined) return { reason: this.unavailableBecause }
    return othersStore(this.keptBy, this.#keeper)
  }

  #staging(id: string): Map<string, MemoryContent> {
    const there = this.#stagings.get(id) ?? new Map<string, MemoryContent>()
    this.#stagings.set(id, there)
    return there
  }

  #realDirectory(): string {
    this.#directory ??= mkdtempSync(join(tmpdir(), 'arriero-memory-store-'))
    return this.#directory
  }

  #used(): number {
    const all = [this.#files, this.#trash, this.#quarantine].flatMap(place => [...place.values()])
    return all.reduce((sum, { content }) => sum + sizeOf(content), 0)
  }

  #published(name: string): Published {
    return { path: this.pathOf(name), fingerprint: this.#files.get(name)!.fingerprint }
  }

  async #prepare(work: Work): Promise<Prepared> {
    this.#check()
    const { origin } = work
    const [what, found] = this.#origin(origin)
    if (!found) throw stagedNotFound(what)
    const isArchive = origin.from === 'spool' && origin.archive !== undefined
    const content = isArchive ? unpackContent(what, found as Uint8Array, work.size) : copyOf(found)
    checkMembers(content)
    const prepared = await describeContent(content, work.checksum)
    const isRight = work.checksum === undefined || work.checksum === prepared.checksum
    if (prepared.size !== work.size || !isRight) throw mismatch(what, work, prepared)
    const tokens = this.#works.get(work.id) ?? new Map<number, MemoryContent>()
    this.#works.set(work.id, tokens.set(work.token, content))
    return prepared
  }

  #origin(origin: Work['origin']): readonly [string, MemoryContent | undefined] {
    if (origin.from === 'memory') return ['what came whole', origin.bytes]
    if (origin.from === 'place') return [origin.name, this.#files.get(origin.name)?.content]
    if (origin.from === 'spool') return [`spool ${origin.id}`, this.#spools.get(origin.id)?.bytes]
    return [origin.uploadName, this.#stagings.get(origin.id)?.get(origin.uploadName)]
  }

  async #publish(work: Publication): Promise<Published> {
    this.#check()
    const there = this.#files.get(work.name)
    if (there && (await isContentOf(there.content, work))) return this.#published(work.name)
    const met = there ? 'it leads to something else' : this.#files.whyNotFree(work.name)
    if (met) throw fileExists(work.name, met)
    const content = await this.#privateCopy(work)
    // Another work may have taken it while this one was compared.
    if (this.#files.has(work.name)) return this.#publish(work)
    this.#files.put(work.name, content)
    return this.#published(work.name)
  }

  async #privateCopy(work: Publication): Promise<MemoryContent> {
    const copy = this.#works.get(work.id)?.get(work.token)
    if (!copy || !(await isContentOf(copy, work))) throw notPrepared(work.id, work.name)
    return copy
  }
}

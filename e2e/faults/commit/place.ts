/** One of several places where a librarian is disturbed at the same time: its disk, its catalogue, and what it has told. */
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkInvariants, type Seen } from '../../../packages/librarian/test/check-invariants.ts'
import { type Beside, isKept, type Sending, type Told } from './client.ts'
import type { Engine, LaneCatalogue } from './engines.ts'
import { Ledger } from './ledger.ts'
import { type Librarian, type LibrarianPlace, rebuildCatalogue, startLibrarian } from './librarian.ts'
import { look, lookAtSurvival, type StoreRoots } from './look.ts'
import { checkTrash, lookAtTrash, missingFromQuarantine } from './trash.ts'
import type { CommitWorkload } from './workloads.ts'

/** Recovery goes on by itself, and sweeping in the background: what is broken after so long, is broken. */
const settleMs = 60_000

export interface PlaceOptions {
  /** A second store, on another device. */
  readonly second?: StoreRoots
  readonly settings?: Readonly<Record<string, unknown>>
  /** For whom another librarian knows. Default: any. */
  readonly port?: number
  /** Another librarian that this one knows. It forgets nothing when this one goes back to what was saved. */
  readonly beside?: Beside
  /** What is there before anything is disturbed. A librarian runs; it need not when this ends. */
  prepare?(place: Place): Promise<void>
}

export class Place implements AsyncDisposable {
  readonly home: string
  readonly data: string
  /** Starts so far. */
  starts = 0
  /** Copies that were not asked to go anywhere yet. */
  readonly stock: Sending[] = []
  readonly #catalogue: LaneCatalogue
  readonly #options: PlaceOptions
  readonly #ledger = new Ledger()
  #saved: Ledger | undefined
  #savedStock: readonly Sending[] = []
  #librarian: Librarian | undefined

  constructor(home: string, data: string, catalogue: LaneCatalogue, options: PlaceOptions = {}) {
    this.home = home
    this.data = data
    this.#catalogue = catalogue
    this.#options = options
  }

  /** With an administrator and what `prepare` has brought, and saved as that. */
  static async open(home: string, engine: Engine, options: PlaceOptions = {}): Promise<Place> {
    const data = join(home, 'data')
    const place = new Place(home, data, await engine.open(data), options)
    await place.start()
    await options.prepare?.(place)
    await place.stop()
    for (const path of place.#paths) cpSync(path, savedPath(path), { recursive: true, preserveTimestamps: true })
    await place.#catalogue.save()
    place.#saved = place.#ledger.copy()
    place.#savedStock = [...place.stock]
    return place
  }

  get librarian(): Librarian {
    if (this.#librarian) return this.#librarian
    throw new Error('no librarian runs here')
  }

  get stores(): readonly StoreRoots[] {
    const { second } = this.#options
    const first = { name: 'files', root: join(this.data, 'files'), staging: join(this.data, 'staging') }
    return second ? [first, second] : [first]
  }

  /** What it has written to its log since it was started last. */
  get log(): string {
    return readFileSync(join(this.home, 'stderr'), 'utf8')
  }

  get isRunning(): boolean {
    return this.#librarian?.isRunning() === true
  }

  query<Row>(sql: string): Promise<Row[]> {
    return this.#catalogue.query(sql)
  }

  /** @param settings instead of those that it has otherwise */
  async start(settings?: Readonly<Record<string, unknown>>): Promise<void> {
    this.starts++
    this.#librarian = await startLibrarian({ ...this.#place, ...(settings ? { settings } : {}) })
  }

  async stop(): Promise<void> {
    await this.#librarian?.stop()
    this.#librarian = undefined
  }

  async kill(): Promise<void> {
    if (this.#librarian?.isRunning()) process.kill(this.#librarian.pid, 'SIGKILL')
    await this.#librarian?.ended
    this.#librarian = undefined
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /**
   * Throws the catalogue away, has the program make it again from the stores alone, and judges what it made before any server
   * has seen it; then one is started.
   */
  async rebuild(more: readonly string[] = []): Promise<string[]> {
    await this.kill()
    await this.#catalogue.clear()
    const { problems } = await rebuildCatalogue(this.#place, more)
    const seen = await this.#look()
    this.#ledger.noteRebuild(seen)
    const broken = this.#brokenIn(seen, false)
    broken.push(...this.stores.flatMap(store => lookAtSurvival(store, seen)))
    if (seen.transfers.length > 0) broken.push(`G1: ${seen.transfers.length} transfers were invented`)
    // Each names something that it could not register, or not as available.
    broken.push(...problems.map(problem => `G1: ${problem}`))
    await this.start()
    return broken
  }

  /** Back to what was saved, and started. Looking at everything stays quick that way. */
  async reset(): Promise<void> {
    await this.bringBack()
    await this.start()
  }

  /** Back to what was saved; no librarian runs. */
  async bringBack(): Promise<void> {
    await this.stop()
    for (const path of this.#paths) {
      rmSync(path, { recursive: true, force: true })
      cpSync(savedPath(path), path, { recursive: true, preserveTimestamps: true })
    }
    await this.#catalogue.restore()
    this.#ledger.becomes(this.#saved!)
    this.stock.splice(0, this.stock.length, ...this.#savedStock)
  }

  /** Uploads that were never there before; of copies that are moved, some that were not moved yet. */
  newSendings(workload: CommitWorkload, prefix = randomBytes(4).toString('hex')): Sending[] {
    if (!workload.moves) return workload.uploadsOf(prefix).map(upload => ({ upload }))
    const at = this.stock.findIndex(sending => workload.moves!.takes(sending))
    if (at < 0) throw new Error(`${workload.name}: all copies were moved already`)
    return this.stock.splice(at, 1).map(sending => ({ ...sending }))
  }

  /** Whether so many times more something new can be sent. */
  hasStock(workload: CommitWorkload, times: number): boolean {
    const { moves } = workload
    return !moves || this.stock.filter(sending => moves.takes(sending)).length >= times
  }

  /** What was acknowledged may be relied on from now on. */
  async send(workload: CommitWorkload, sendings: readonly Sending[]): Promise<readonly Told[]> {
    this.#ledger.noteSending(workload, sendings)
    const told = await workload.send({ ...this.librarian, beside: this.#options.beside }, sendings)
    this.#ledger.noteTold(workload, sendings, told)
    return told
  }

  /** Threads and their caches are there afterwards. */
  async warm(workload: CommitWorkload): Promise<void> {
    await this.sendAll(workload, this.newSendings(workload))
  }

  /** @throws Error where anything fails */
  async sendAll(workload: CommitWorkload, sendings: readonly Sending[]): Promise<void> {
    let told = await this.send(workload, sendings)
    // Of several that want one name, the others learn by asking again that it is taken.
    if (workload.isContested) told = await this.send(workload, sendings)
    const end = performance.now() + settleMs
    while (workload.isByItself && !told.every(isKept) && performance.now() < end)
      told = await this.send(workload, sendings)
    const failed = told.filter(one => !isKept(one))
    if (failed.length > 0) throw new Error(`${workload.name} fails without any fault: ${JSON.stringify(failed)}`)
  }

  /** Every promise that is still broken after a while. */
  async judge({ isSwept }: { readonly isSwept: boolean }): Promise<string[]> {
    const end = performance.now() + settleMs
    for (;;) {
      const seen = await this.#look()
      const broken = this.#brokenIn(seen, isSwept)
      if (this.#options.second) broken.push(...checkTrash(await lookAtTrash(this), seen, this.#ledger.whereabouts))
      // What was removed leaves the check list some seconds later.
      const { damaged, repaired } = this.#ledger
      if (broken.length === 0 && isSwept)
        broken.push(...this.stores.flatMap(store => lookAtSurvival(store, seen, damaged)))
      broken.push(...missingFromQuarantine(this.stores, repaired))
      if (broken.length === 0) return []
      if (performance.now() > end) return broken
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    for (const path of this.#paths.flatMap(each => [each, savedPath(each)])) {
      if (existsSync(path)) rmSync(path, { recursive: true, force: true })
    }
  }

  #brokenIn(seen: Seen, isSwept: boolean): string[] {
    const { rest, acknowledged, broken } = this.#ledger.withoutForeign(seen)
    return [...broken, ...checkInvariants(rest, acknowledged, { isSwept }), ...this.#ledger.invented(rest)]
  }

  #look(): Promise<Seen> {
    return look(this.stores, this.#catalogue)
  }

  get #place(): LibrarianPlace {
    const { second, settings, port } = this.#options
    return { home: this.home, data: this.data, catalogue: this.#catalogue.url, second, settings, port }
  }

  /** Directories that hold everything but a catalogue elsewhere. */
  get #paths(): string[] {
    const { second } = this.#options
    return second ? [this.home, second.root, second.staging] : [this.home]
  }
}

function savedPath(path: string): string {
  return `${path}.saved`
}

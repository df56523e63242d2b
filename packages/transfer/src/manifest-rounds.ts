/**
 * A manifest from its first row to its report (gen3 4.3, 8, 9, 12):
 *
 *     plan      every row gets its path, in the order of the list, before it is fetched
 *     pass      what an earlier run has proven and nobody has touched is not looked at again
 *     fetch     the rest, as `downloadAll` does
 *     open      rows that turn out to be bundles: what they hold is fetched in a further round
 *     complete  files of the GDC: the index and metadata files that belong to them, in a further round as well
 *     tell      one outcome for every row, good or bad, in the order in which they end
 *     leave     interrupted, and asked for it: one for each row that was not done
 */
import { join, resolve } from 'node:path'
import { downloadAll } from './download-all.ts'
import { type Engine, partsOf } from './engine.ts'
import { TransferError } from './errors.ts'
import { askFile } from './hooks/ask-file.ts'
import { activeHooks } from './hooks/open-hooks.ts'
import type { RunEnd } from './hooks.ts'
import { list } from './list.ts'
import { Belongings, type Owner } from './manifest/belongings.ts'
import { Bundles } from './manifest/bundles.ts'
import { type Entry, isBadRow, type Row } from './manifest/entry.ts'
import { type Outcome, outcomeOf, outcomeOfError, outcomeOfResult } from './manifest/outcome.ts'
import { Proofs } from './manifest/proofs.ts'
import type { DownloadManifestOptions, ManifestResult, ManifestSummary } from './manifest/run.ts'
import { Tally } from './manifest/tally.ts'
import { refusalOfOurs, unplacedOutcome } from './manifest/unplaced-outcome.ts'
import { GivenNames } from './names/given-names.ts'
import { type NamePlan, type Placement, planNames } from './names/plan.ts'
import type { EntryResult } from './results.ts'
import type { Channel } from './sinks/channel.ts'

/** What is remembered of a row while it is under way. */
interface Pending {
  readonly entry: Entry
  readonly placement: Placement
  /** Index in the manifest: members of bundles have that of their row. */
  readonly row: number
  /** Belongs to another file: nothing belongs to it. */
  readonly isRelated: boolean
}

/** What the caller wants, its hooks opened. */
export type OpenedOptions = DownloadManifestOptions & { readonly engine: Engine; readonly signal: AbortSignal }

/** One run over one manifest; `go` is called once. */
export class ManifestRounds {
  readonly #results: Channel<ManifestResult>
  /** What is left of the list: it outlives whoever reads it. */
  readonly #rows: AsyncIterator<readonly Row[]>
  readonly #o: OpenedOptions
  readonly #directory: string
  readonly #plan: NamePlan
  readonly #given: GivenNames | undefined
  readonly #pending = new Map<number, Pending>()
  readonly #startedAt = Date.now()
  readonly #tally = new Tally()
  #hasPassed = false
  /** What is being fetched from. */
  #feed: AsyncGenerator<readonly Row[]> | undefined
  readonly #bundles: Bundles
  readonly #belongings: Belongings
  #proofs: Proofs | undefined
  /** Members of bundles are numbered behind all rows. */
  #nextIndex = 0

  constructor(rows: AsyncIterator<readonly Row[]>, options: OpenedOptions, results: Channel<ManifestResult>) {
    this.#results = results
    this.#rows = rows
    // Asked once for all: the answer may take reading files, and warnings.
    const { commons } = options
    this.#o = typeof commons === 'function' ? { ...options, commons: once(commons) } : options
    this.#directory = resolve(options.directory ?? '.')
    this.#given = options.names === undefined ? undefined : new GivenNames(options.names)
    this.#plan = planNames(options, this.#given)
    const { signal } = options
    const nextIndex = () => this.#nextIndex++
    this.#bundles = new Bundles({
      list: uri => list(uri, this.#o),
      place: (member, row) => this.#place(member, row),
      nextIndex,
      tell: (entry, outcome) => this.#tell(entry, outcome),
      signal,
    })
    this.#belongings = new Belongings({
      list: uri => list(uri, { ...this.#o, isLiteral: true }),
      place: (related, owner) => this.#place(related, owner.row, owner),
      nextIndex,
      tellUnknown: ({ entry, path, row }, error) =>
        this.#tell(entry, outcomeOfError(entry, error, { index: row, path: join(this.#directory, path) })),
      signal,
    })
  }

  async go(): Promise<ManifestSummary> {
    const { state } = this.#o
    try {
      await this.#given?.open()
      if (state !== undefined) this.#proofs = await Proofs.open(state, { ...this.#o, directory: this.#directory })
      await this.#fetch(this.#untilStopped())
      while (this.#bundles.areAny && !this.#isStopped) await this.#fetch(this.#bundles.members())
      const areMore = this.#belongings.open.length > 0 && !this.#isStopped && (await this.#hasRelatedFiles())
      if (areMore) await this.#fetch(this.#belongings.entries())
      if (this.#isStopped) await this.#tellCancelled()
      // Where nothing is fetched, nobody else sweeps what a killed run was publishing.
      if (this.#hasPassed) await partsOf(this.#o.engine).stagingFor(this.#directory).tidy()
      return this.#summary()
    } catch (error) {
      const { tellsCancelled, signal } = this.#o
      const isInterrupted = tellsCancelled && signal.aborted && !this.#results.isLeft
      // A list that cannot be read on, or ended by the signal, is told as far as it was read.
      if (isInterrupted) await this.#tellCancelled().catch(() => {})
      this.#results.fail(error)
      if (!isInterrupted) throw error
      return { ...this.#summary(), isInterrupted }
    } finally {
      // Not waited for: it may be waiting itself.
      this.#rows.return?.()?.catch(() => {})
      await this.#proofs?.close()
      await this.#given?.close()
    }
  }

  /** What `onDone` is told. */
  get end(): RunEnd {
    return this.#tally.end
  }

  // Rows

  /** A failure has ended the run: `continueAfterError` is false. */
  get #isStopped(): boolean {
    return this.#o.continueAfterError === false && this.#tally.failed > 0
  }

  async *#untilStopped(): AsyncGenerator<readonly Row[]> {
    for await (const rows of this.#planned()) {
      if (this.#isStopped) return
      yield rows
    }
  }

  async *#planned(): AsyncGenerator<readonly Row[]> {
    for (let next = await this.#rows.next(); !next.done; next = await this.#rows.next()) {
      const wanted: Row[] = []
      for (const row of next.value) {
        this.#tally.addRow()
        this.#nextIndex = Math.max(this.#nextIndex, row.index + 1)
        const entry = isBadRow(row) ? await this.#refuse(row) : await this.#place(row, row.index)
        if (entry) wanted.push(entry)
      }
      if (wanted.length > 0) yield wanted
    }
  }

  async #refuse({ index, line, error }: Extract<Row, { error: unknown }>): Promise<undefined> {
    const entry = { index, line, uris: [], checksums: [] }
    // A pattern that nothing matches is a row that names what is not there.
    const status = error.code === 'NotFound' ? 'not_found' : 'invalid'
    await this.#tell(entry, outcomeOfError(entry, error, { status }))
  }

  /** The entry to fetch, if it is to be fetched; else its outcome is told. */
  async #place(listed: Entry, row: number, owner?: Owner): Promise<Entry | undefined> {
    const entry = await this.#chosen(listed, row)
    if (!entry) return undefined
    const placement = owner ? this.#plan.placeIn(directoryOf(owner.path), entry) : this.#plan.place(entry)
    const pending = { entry, placement, row, isRelated: owner !== undefined }
    const unplaced = unplacedOutcome(entry, placement, { row, directory: this.#directory })
    if (unplaced) {
      await this.#tell(entry, unplaced)
      return undefined
    }
    const path = placement.status === 'placed' ? placement.path : undefined
    if (path !== undefined && (await this.#isProven(pending, join(this.#directory, path)))) return undefined
    this.#pending.set(entry.index, pending)
    return { ...entry, path }
  }

  /** Whether an earlier run has made the file and nobody has touched it since; then that is told. */
  async #isProven(pending: Pending, path: string): Promise<boolean> {
    const { entry, placement, row } = pending
    const proven = await this.#proofs?.find(entry, path)
    if (!proven) return false
    this.#hasPassed = true
    const { size, status } = proven
    const verified = status === 'skipped_complete'
    const about = { index: row, path, verified, size_actual: size, renamed_from: renamedFrom(placement) }
    await this.#tell(entry, outcomeOf(entry, status, about))
    this.#noteOwner(pending)
    return true
  }

  /** The entry as `onFile` wants it; undefined: what became of it is told. */
  async #chosen(entry: Entry, row: number): Promise<Entry | undefined> {
    const hooks = activeHooks(this.#o)
    if (!hooks?.has('onFile')) return entry
    const { signal } = this.#o
    try {
      const asked = await askFile(hooks, entry, signal)
      if (asked) return asked
      await this.#tell(entry, outcomeOf(entry, 'skipped_by_hook', { index: row }))
    } catch (error) {
      signal.throwIfAborted()
      await this.#tell(entry, outcomeOfError(entry, error, { index: row }))
    }
    return undefined
  }

  // Fetching

  async #fetch(entries: AsyncGenerator<readonly Row[]>): Promise<void> {
    this.#feed = entries
    const run = downloadAll(entries, {
      ...this.#o,
      directory: this.#directory,
      arePathsPlanned: true,
      areFilesAsked: true,
      isEnd: error => !isBundle(error),
      pathFor: (entry, name) => this.#pathFor(entry, name),
    })
    for await (const result of run) await this.#ended(result)
    await run.summary
  }

  /** Names that only the source tells go by the same rules as those of the list. */
  #pathFor({ index }: Entry, name: string): string {
    const pending = this.#pending.get(index)
    if (!pending) return name
    const placement = this.#plan.rename(pending.entry, name)
    this.#pending.set(index, { ...pending, placement })
    if (placement.status === 'placed') {
      const refusal = refusalOfOurs(placement.path)
      if (refusal) throw refusal
      return placement.path
    }
    if (placement.status === 'refused') throw placement.error
    throw new TransferError('Usage', `Cannot write ${name}: an earlier row has this name`, { reason: 'collision' })
  }

  async #ended(result: EntryResult): Promise<void> {
    const { index } = result.entry
    const pending = this.#pending.get(index)
    this.#pending.delete(index)
    if (!pending) return this.#tell(result.entry, outcomeOfUnplanned(result))
    const { entry, placement, row } = pending
    const sameContentAs = 'sameContentAs' in placement ? placement.sameContentAs : undefined
    if (result.ok) {
      this.#proofs?.remember(entry, result.result)
      const about = { renamedFrom: renamedFrom(placement), sameContentAs, endedAt: Date.now() }
      this.#noteOwner(pending)
      return this.#tell(entry, { ...outcomeOfResult(entry, result.result, about), index: row })
    }
    if (isBundle(result.error)) return this.#foundBundle(pending, result.error as TransferError)
    const path = placement.status === 'placed' ? join(this.#directory, placement.path) : undefined
    const about = { index: row, path, renamed_from: renamedFrom(placement) }
    await this.#tell(entry, outcomeOfError(entry, result.error, about))
  }

  async #foundBundle({ entry, placement, row }: Pending, { details }: TransferError): Promise<void> {
    // Its name is that of a directory; the row's own, or the bundle's.
    const { name = entry.id ?? '' } = details
    const place = placement.status === 'unnamed' ? this.#plan.rename(entry, name) : placement
    if (place.status === 'refused') return this.#tell(entry, outcomeOfError(entry, place.error, { index: row }))
    if (place.status !== 'placed') {
      const error = 'an earlier row has this name'
      return this.#tell(entry, outcomeOf(entry, 'duplicate', { index: row, error }))
    }
    const { path } = place
    this.#plan.open(path)
    this.#bundles.add({ uri: entry.uris[0] as string, path, row, entry })
  }

  #noteOwner({ entry, placement, row, isRelated }: Pending): void {
    if (!isRelated && placement.status === 'placed') this.#belongings.note({ entry, path: placement.path, row })
  }

  async #hasRelatedFiles(): Promise<boolean> {
    const { commons = {} } = this.#o
    return (typeof commons === 'function' ? await commons() : commons).hasRelatedFiles !== false
  }

  // Interruptions

  /** First what was under way, then what was still to be found out, then the rest of the list. */
  async #tellCancelled(): Promise<void> {
    // Whatever reads is let come to its end: nothing is taken twice.
    await this.#feed?.return(undefined)
    await this.#tellPending()
    for (const { entry, row } of this.#bundles.unopened) await this.#tell(entry, this.#cancelled(entry, row))
    const owners = this.#belongings.open
    const areWanted = owners.length > 0 && (await this.#hasRelatedFiles().catch(() => false))
    for (const { entry, path, row } of areWanted ? owners : []) {
      await this.#tell(entry, this.#cancelled(entry, row, join(this.#directory, path)))
    }
    if (!this.#o.tellsCancelled) return
    for await (const _ of this.#planned()) await this.#tellPending()
  }

  async #tellPending(): Promise<void> {
    for (const [index, { entry, placement, row }] of this.#pending) {
      this.#pending.delete(index)
      const path = placement.status === 'placed' ? join(this.#directory, placement.path) : undefined
      await this.#tell(entry, this.#cancelled(entry, row, path))
    }
  }

  // Telling

  /** Resolves when whoever listens has taken it. */
  async #tell(entry: Entry, outcome: Outcome): Promise<void> {
    this.#tally.add(outcome)
    await this.#results.send({ entry, outcome })
  }

  #cancelled(entry: Entry, index: number, path?: string): Outcome {
    const error = this.#isStopped ? 'an earlier row has failed' : 'the run was interrupted'
    return outcomeOf(entry, 'cancelled', { index, path, error_class: 'cancelled', error })
  }

  #summary(): ManifestSummary {
    const hooks = activeHooks(this.#o)?.clock.times
    return { ...this.#tally.summary, totalMs: Date.now() - this.#startedAt, ...(hooks && { hooks }) }
  }
}

function outcomeOfUnplanned(result: EntryResult): Outcome {
  if (!result.ok) return outcomeOfError(result.entry, result.error)
  return outcomeOfResult(result.entry, result.result, { endedAt: Date.now() })
}

function renamedFrom(placement: Placement): string | undefined {
  return placement.status === 'placed' ? placement.renamedFrom : undefined
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function isBundle(error: unknown): boolean {
  return error instanceof TransferError && error.details.reason === 'bundle'
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}

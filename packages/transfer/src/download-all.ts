/**
 * Many files, each as `download` does one, within shared limits; results as they come.
 *
 *     read      rows ahead of the transfers, at most `maxBacklog`; transfers begin with the first one
 *     admit     while a place is free: the next entry by order, its name checked against all others
 *     fetch     a place is free again when the bytes have landed; publishing goes on in groups
 *     yield     every entry exactly once, good or bad; a consumer that does not take them stops admission
 */
import { Admission } from './admission.ts'
import { Backlog } from './backlog.ts'
import { type DownloadContext, downloadWith, type Place } from './download.ts'
import { type EngineParts, withCall } from './engine.ts'
import { type Entries, rowsOf, untilAborted } from './entries.ts'
import { TransferError } from './errors.ts'
import { ExistingNames } from './existing-names.ts'
import type { ActiveHooks } from './hooks/active-hooks.ts'
import { askFile } from './hooks/ask-file.ts'
import { tellUnbegun } from './hooks/ends.ts'
import { activeHooks } from './hooks/open-hooks.ts'
import type { RunEnd } from './hooks.ts'
import { type Entry, isBadRow, type Row } from './manifest/entry.ts'
import type { DownloadAllOptions } from './options.ts'
import { ResultQueue } from './result-queue.ts'
import type { EntryResult, RunSummary } from './results.ts'
import { runWhenRead } from './run-when-read.ts'
import { Targets } from './targets.ts'

/** Results, once each, and what they add up to. */
export interface Downloads extends AsyncIterable<EntryResult> {
  /** Resolves when the iteration has ended, also when it was left early. */
  readonly summary: Promise<RunSummary>
}

/** Results and files being published that may wait: one batch of the group commit under way, and the next. */
const MOST_WAITING = 4096

/**
 * Fetches everything that `entries` lists into `options.directory`. A failure of one never stops the others, unless
 * `continueAfterError` is false.
 *
 * @example
 * ```ts
 * const run = downloadAll(parseManifest(createReadStream('list.json')), { directory: 'data' })
 * for await (const item of run) if (!item.ok) console.error(item.entry.uris[0], item.error)
 * console.log(await run.summary)
 * ```
 */
export function downloadAll(entries: Entries, options: DownloadAllOptions = {}): Downloads {
  const { signal: outer } = options
  return runWhenRead(signal => {
    const results = new ResultQueue<EntryResult>(options.resultOrder === 'manifest' ? 'list' : 'completed')
    let all: AllDownloads | undefined
    const begin = (engine: EngineParts, opened: Options) => {
      all = new AllDownloads(engine, entries, opened, results)
      return all.run()
    }
    const running = withCall({ ...options, signal }, begin, () => all?.end ?? NOTHING)
    const total = running.then(
      summary => {
        results.releaseAll()
        results.end()
        return summary
      },
      error => {
        results.releaseAll()
        results.fail(error)
        // Left early: what was done so far is the answer.
        if (all && signal.aborted && !outer?.aborted) return all.summary
        throw error
      },
    )
    return { results: results.take(), total }
  }, outer)
}

type Options = DownloadAllOptions & { readonly signal: AbortSignal }

/** The end of a run that never began. */
const NOTHING = { files: 0, failed: 0, bytes: 0 }

class AllDownloads {
  readonly #engine: EngineParts
  readonly #entries: Entries
  readonly #o: Options
  readonly #results: ResultQueue<EntryResult>
  readonly #directory: string
  readonly #backlog: Backlog
  readonly #admission: Admission
  readonly #targets: Targets
  readonly #existing = new ExistingNames()
  readonly #startedAt: number
  readonly #done = Promise.withResolvers<void>()
  #wakeReader: (() => void) | undefined
  #isRead = false
  #unfinished = 0
  #isStopped = false
  /** Tells the publisher that nothing more will be begun. */
  #unexpect: () => void = () => {}
  #count = { files: 0, downloaded: 0, skipped: 0, failed: 0, bytes: 0 }

  constructor(engine: EngineParts, entries: Entries, options: Options, results: ResultQueue<EntryResult>) {
    this.#engine = engine
    this.#entries = entries
    this.#o = options
    this.#results = results
    this.#directory = options.directory ?? process.cwd()
    this.#backlog = new Backlog(options.order ?? 'size')
    this.#admission = new Admission(options.transfers, engine.connections)
    this.#targets = new Targets(this.#directory, options.arePathsPlanned)
    this.#startedAt = engine.clock.now()
    results.onTaken = () => this.#admit()
  }

  async run(): Promise<RunSummary> {
    const { signal } = this.#o
    signal.throwIfAborted()
    const onAbort = () => this.#stop()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#unexpect = this.#engine.publisher.expect()
    try {
      await this.#read()
      this.#isRead = true
      this.#engine.progress.isListed = true
      this.#admit()
      this.#proceed()
      await this.#done.promise
      signal.throwIfAborted()
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#stop()
      await this.#settled()
    }
    return this.summary
  }

  /** What was done so far. */
  get summary(): RunSummary {
    const hooks = activeHooks(this.#o)?.clock.times
    return { ...this.#count, totalMs: this.#engine.clock.now() - this.#startedAt, ...(hooks && { hooks }) }
  }

  /** The same, as `onDone` is told it. */
  get end(): RunEnd {
    const { files, failed, bytes } = this.#count
    return { files, failed, bytes }
  }

  // Reading ahead

  async #read(): Promise<void> {
    const { maxBacklog = 10_000, signal } = this.#o
    let index = 0
    for await (const input of untilAborted(this.#entries, signal)) {
      for (const row of rowsOf(input, index)) {
        index++
        await this.#take(row)
      }
      this.#admit()
      while (this.#backlog.length >= maxBacklog && !this.#isStopped) await this.#roomInBacklog()
      if (this.#isStopped) break
      signal.throwIfAborted()
    }
  }

  async #take(row: Row): Promise<void> {
    this.#engine.progress.listed++
    this.#count.files++
    if (isBadRow(row)) return this.#reject({ index: row.index, line: row.line, uris: [], checksums: [] }, row.error)
    const hooks = this.#o.areFilesAsked ? undefined : activeHooks(this.#o)
    const entry = hooks?.has('onFile') ? await this.#asked(row, hooks) : row
    if (entry) this.#backlog.push(entry)
  }

  /** What the caller's hook makes of an entry. */
  async #asked(entry: Entry, hooks: ActiveHooks): Promise<Entry | undefined> {
    const { signal } = this.#o
    try {
      const asked = await askFile(hooks, entry, signal)
      if (asked) return asked
      this.#engine.progress.skipped++
      this.#count.skipped++
      this.#results.pass(entry.index)
    } catch (error) {
      signal.throwIfAborted()
      await tellUnbegun(hooks, entry, error, signal)
      this.#reject(entry, error)
    }
    return undefined
  }

  #roomInBacklog(): Promise<void> {
    return new Promise(resolve => {
      this.#wakeReader = resolve
    })
  }

  // Admission

  #admit(): void {
    while (!this.#isStopped && this.#backlog.length > 0) {
      // When results can wait no longer, only the one that they wait for may be begun.
      const entry = this.#isFull ? this.#backlog.takeOne(this.#results.due) : this.#next()
      if (!entry) break
      this.#begin(entry)
    }
    if (this.#isRead && this.#backlog.length === 0) this.#unexpect()
    if (this.#wakeReader && this.#backlog.length < (this.#o.maxBacklog ?? 10_000)) {
      this.#wakeReader()
      this.#wakeReader = undefined
    }
  }

  #next(): Entry | undefined {
    return this.#admission.hasPlace ? this.#backlog.take(this.#admission.hasLarge) : undefined
  }

  get #isFull(): boolean {
    return this.#unfinished - this.#admission.active + this.#results.waiting >= MOST_WAITING
  }

  #begin(entry: Entry): void {
    this.#unfinished++
    const { onSize, leave } = this.#admission.enter(entry, () => this.#admit())
    this.#fetch(entry, { onSize, onFetched: leave }).then(
      result => this.#ended(result, leave),
      error => this.#ended({ entry, ok: false, error }, leave),
    )
  }

  async #fetch(entry: Entry, on: Pick<DownloadContext, 'onSize' | 'onFetched'>): Promise<EntryResult> {
    const [uri, ...mirrors] = entry.uris
    const { pathFor } = this.#o
    let place: Place
    try {
      if (uri === undefined) throw new TransferError('Usage', `Cannot fetch entry ${entry.index + 1}: it names no URL`)
      place = await this.#targets.placeOf(entry)
    } catch (error) {
      // From here on `downloadWith` counts.
      this.#engine.progress.failed++
      await tellUnbegun(activeHooks(this.#o), entry, error, this.#o.signal)
      throw error
    }
    const result = await downloadWith(this.#engine, uri, place, this.#o, {
      listed: entry.checksums,
      mirrors: mirrors.length > 0 ? mirrors : undefined,
      size: entry.size,
      headers: entry.headers && { ...this.#o.headers, ...entry.headers },
      range: entry.range,
      names: this.#existing,
      root: this.#directory,
      pathFor: pathFor && (name => pathFor(entry, name)),
      onPath: path => 'directory' in place && this.#targets.claim(path, entry),
      ...on,
    })
    return { entry, ok: true, result }
  }

  // Ends

  #ended(result: EntryResult, leave: () => void): void {
    this.#unfinished--
    if (result.ok) {
      this.#count[result.result.status]++
      this.#count.bytes += result.result.bytes
    } else this.#count.failed++
    const wasCancelled = !result.ok && this.#o.signal.aborted
    if (!wasCancelled) this.#results.push(result.entry.index, result)
    if (!result.ok) this.#stopAfter(result.error)
    leave()
    this.#proceed()
  }

  #reject(entry: Entry, error: unknown): void {
    this.#count.failed++
    this.#engine.progress.failed++
    this.#results.push(entry.index, { entry, ok: false, error })
    this.#stopAfter(error)
  }

  #stopAfter(error: unknown): void {
    const { continueAfterError, isEnd } = this.#o
    if (continueAfterError === false && isEnd?.(error) !== false) this.#stop()
  }

  #proceed(): void {
    if (this.#unfinished > 0) return
    if (this.#isStopped || (this.#isRead && this.#backlog.length === 0)) this.#done.resolve()
  }

  /** Begins nothing more. */
  #stop(): void {
    this.#isStopped = true
    this.#unexpect()
    this.#backlog.clear()
    this.#wakeReader?.()
    this.#wakeReader = undefined
    this.#proceed()
  }

  async #settled(): Promise<void> {
    if (this.#unfinished > 0) await this.#done.promise
  }
}

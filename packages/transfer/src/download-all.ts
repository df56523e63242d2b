/**
 * Many files, each as `download` does one, within shared limits; results as they come.
 *
 *     read      rows ahead of the transfers, at most `maxBacklog`; transfers begin with the first one
 *     admit     while a place is free: the next entry by order, its name checked against all others
 *     fetch     a place is free again when the bytes have landed; publishing goes on in groups
 *     yield     every entry exactly once, good or bad; a consumer that does not take them stops admission
 */
import { join, sep } from 'node:path'
import { abortable } from './abortable.ts'
import { Backlog, isLarge } from './backlog.ts'
import { type DownloadContext, downloadWith, type Place } from './download.ts'
import { type EngineParts, withCall } from './engine.ts'
import { TransferError } from './errors.ts'
import { ExistingNames } from './existing-names.ts'
import type { ActiveHooks } from './hooks/active-hooks.ts'
import { askFile } from './hooks/ask-file.ts'
import { tellUnbegun } from './hooks/ends.ts'
import { activeHooks } from './hooks/open-hooks.ts'
import type { RunEnd } from './hooks.ts'
import { rowOfListed } from './listing/row.ts'
import { type Entry, isBadRow, type Row } from './manifest/entry.ts'
import { NameRegistry } from './names/registry.ts'
import { assertInside, resolveTarget } from './names/target.ts'
import type { DownloadAllOptions } from './options.ts'
import { ResultQueue } from './result-queue.ts'
import type { EntryResult, RunSummary } from './results.ts'
import type { Listed } from './source.ts'

/** What is to be fetched: rows of a manifest, names of a listing, batches of them, or plain URLs. */
export type Entries = Iterable<EntryInput> | AsyncIterable<EntryInput>
type EntryInput = string | Row | Listed | readonly (Row | Listed)[]

/** Results, once each, and what they add up to. */
export interface Downloads extends AsyncIterable<EntryResult> {
  /** Resolves when the iteration has ended, also when it was left early. */
  readonly summary: Promise<RunSummary>
}

const LARGE_TRANSFERS = 8
/** A file that needs more than one request counts as large. */
const SMALL = 8 << 20
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
  const { promise: summary, resolve, reject } = Promise.withResolvers<RunSummary>()
  summary.catch(() => {})
  return {
    summary,
    async *[Symbol.asyncIterator]() {
      const results = new ResultQueue<EntryResult>(options.resultOrder === 'manifest' ? 'list' : 'completed')
      const leave = new AbortController()
      const signal = options.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal
      let all: AllDownloads | undefined
      const begin = (engine: EngineParts, opened: Options) => {
        all = new AllDownloads(engine, entries, opened, results)
        return all.run()
      }
      const running = withCall({ ...options, signal }, begin, () => all?.end ?? NOTHING)
      running.then(
        total => {
          results.releaseAll()
          results.end()
          resolve(total)
        },
        error => {
          results.releaseAll()
          results.fail(error)
          if (all && leave.signal.aborted && !options.signal?.aborted) resolve(all.summary)
          else reject(error)
        },
      )
      try {
        yield* results.take()
      } finally {
        leave.abort(new DOMException('The consumer left', 'AbortError'))
        await running.catch(() => {})
      }
    },
  }
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
  readonly #names = new NameRegistry()
  readonly #existing = new ExistingNames()
  readonly #safeParents = new Set<string>()
  readonly #startedAt: number
  readonly #done = Promise.withResolvers<void>()
  #wakeReader: (() => void) | undefined
  #isRead = false
  #active = 0
  #activeLarge = 0
  /** Files under way that turned out to need more than one request. */
  #fetchingLarge = 0
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
    return this.#hasPlace() ? this.#backlog.take(this.#activeLarge > 0) : undefined
  }

  get #isFull(): boolean {
    return this.#unfinished - this.#active + this.#results.waiting >= MOST_WAITING
  }

  #hasPlace(): boolean {
    const { transfers } = this.#o
    if (transfers !== undefined) return this.#active < transfers
    if (this.#active < LARGE_TRANSFERS) return true
    return this.#active < this.#engine.connections && this.#fetchingLarge < LARGE_TRANSFERS
  }

  #begin(entry: Entry): void {
    this.#active++
    this.#unfinished++
    if (isLarge(entry)) this.#activeLarge++
    let hasPlace = true
    let needsMore = false
    const onSize = (bytes: number | undefined) => {
      if (needsMore || !hasPlace || bytes === undefined || bytes <= SMALL) return
      needsMore = true
      this.#fetchingLarge++
    }
    const leave = () => {
      if (!hasPlace) return
      hasPlace = false
      this.#active--
      if (needsMore) this.#fetchingLarge--
      if (isLarge(entry)) this.#activeLarge--
      this.#admit()
    }
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
      place = await this.#placeOf(entry)
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
      onPath: path => 'directory' in place && this.#claim(path, entry),
      ...on,
    })
    return { entry, ok: true, result }
  }

  /** Where an entry goes: names from a list stay inside the directory, and no two are the same. */
  async #placeOf(entry: Entry): Promise<Place> {
    const { path } = entry
    if (path === undefined) return { directory: this.#directory }
    const isDirectory = path.endsWith('/')
    const target = resolveTarget(this.#directory, isDirectory ? path.slice(0, -1) : path)
    await this.#assertInside(isDirectory ? join(target, 'any name') : target)
    if (isDirectory) return { directory: target }
    this.#claim(target, entry)
    return { path: target }
  }

  async #assertInside(target: string): Promise<void> {
    const parent = target.slice(0, target.lastIndexOf(sep))
    if (this.#safeParents.has(parent)) return
    await assertInside(this.#directory, target)
    this.#safeParents.add(parent)
  }

  #claim(target: string, entry: Entry): void {
    if (this.#o.arePathsPlanned) return
    const conflict = this.#names.claim(target, entry.index)
    // Its own name, taken when it was begun before.
    if (!conflict || (conflict.kind === 'same' && conflict.index === entry.index)) return
    throw new TransferError('Usage', `Cannot write ${target}: ${conflict.problem}`, { file: target })
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

/** Ends with the signal's reason, also while the list is being waited for. */
async function* untilAborted(entries: Entries, signal: AbortSignal): AsyncGenerator<EntryInput, void, undefined> {
  if (!(Symbol.asyncIterator in entries)) return yield* entries
  const iterator = entries[Symbol.asyncIterator]()
  let isOver = false
  try {
    while (!isOver) {
      const { done, value } = await abortable(iterator.next(), signal)
      isOver = done === true
      if (!isOver) yield value
    }
  } catch (error) {
    isOver = !signal.aborted
    throw error
  } finally {
    // Not waited for: it may be waiting itself.
    if (!isOver) iterator.return?.()?.catch(() => {})
  }
}

function* rowsOf(input: EntryInput, index: number): Generator<Row> {
  if (typeof input === 'string') yield { index, uris: [input], checksums: [] }
  else if (Array.isArray(input)) for (const one of input) yield 'uri' in one ? rowOfListed(one, index++) : one
  else yield 'uri' in input ? rowOfListed(input as Listed, index) : (input as Row)
}

/**
 * Many uploads: some are read and digested while others are sent; small files go in batches.
 *
 *     worker    what waits to be sent goes first, else the next item is read and digested
 *     batch     small files, as many as wait, once there are enough or nothing more comes
 *     yield     every request exactly once, good or bad
 *
 * A failure of one never stops the others.
 */
import { type DeletionPolicy, LibrarianError, nestsWith } from '@arriero/api'
import { createPathDigester, type FileProgress, Progress, TransferError } from '@arriero/transfer'
import { explained } from '../http/network-error.ts'
import type { Librarian } from '../librarian.ts'
import { type Prepared, type PrepareOptions, prepare, type UploadRequest } from './prepare.ts'
import type { ResumeRecords } from './resume-records.ts'
import { type BatchItem, uploadBatch } from './upload-batch.ts'
import { type UploadedFile, type UploadOneOptions, uploadOne } from './upload-one.ts'

/** Options of `uploadAll()`. */
export interface UploadAllOptions extends Omit<PrepareOptions, 'digester' | 'signal' | 'onSize'> {
  /** Whether the librarian may later delete its copy by its own rules. Default DISALLOWED. */
  readonly deletion?: DeletionPolicy | undefined
  /** Where what a killed run leaves is kept; undefined: nowhere. */
  readonly records?: ResumeRecords | undefined
  /** Items at once, read or sent. Default 4. */
  readonly concurrency?: number | undefined
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
  /** First wait after a failure, ms. Default 250. */
  readonly waitMs?: number | undefined
}

/** What became of one upload of several. */
export type UploadOutcome =
  | { readonly ok: true; readonly request: UploadRequest; readonly uploaded: UploadedFile }
  | { readonly ok: false; readonly request: UploadRequest; readonly error: unknown }

/** Larger files are announced alone, and continued after a kill. */
const SMALL = 4 << 20
const MOST_IN_BATCH = 128
const MOST_BATCH_BYTES = 64 << 20

/** Uploads several, several at once; an outcome for each as it is ready. */
export async function* uploadAll(
  librarian: Librarian,
  requests: Iterable<UploadRequest> | AsyncIterable<UploadRequest>,
  options: UploadAllOptions = {},
): AsyncGenerator<UploadOutcome, void, undefined> {
  const leave = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal
  const run = new UploadRun(librarian, requests, { ...options, signal })
  const ended = run.run()
  // Told by `take`.
  ended.catch(() => {})
  try {
    yield* run.take()
    await ended
  } finally {
    leave.abort(new DOMException('The consumer left', 'AbortError'))
    await ended.catch(() => {})
  }
}

class UploadRun {
  readonly #librarian: Librarian
  readonly #source: AsyncIterator<UploadRequest> | Iterator<UploadRequest>
  readonly #o: UploadAllOptions & { readonly signal: AbortSignal }
  readonly #one: UploadOneOptions
  readonly #names = new Names()
  readonly #digester = createPathDigester()
  readonly #large: BatchItem[] = []
  readonly #small: BatchItem[] = []
  readonly #outcomes: UploadOutcome[] = []
  #wake = Promise.withResolvers<void>()
  #isRead = false
  #isEnded = false
  #hasBatches = true

  constructor(
    librarian: Librarian,
    requests: Iterable<UploadRequest> | AsyncIterable<UploadRequest>,
    options: UploadAllOptions & { readonly signal: AbortSignal },
  ) {
    this.#librarian = librarian
    this.#source =
      Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : (requests[Symbol.iterator]() as never)
    this.#o = options
    this.#one = { ...options, progress: options.progress ?? new Progress() }
  }

  async run(): Promise<void> {
    const crew = Array.from({ length: this.#o.concurrency ?? 4 }, () => this.#work())
    try {
      await Promise.allSettled(crew)
      await Promise.all(crew)
    } finally {
      this.#isEnded = true
      this.#wake.resolve()
      if (!this.#isRead) await this.#source.return?.()
      await this.#digester[Symbol.asyncDispose]()
    }
  }

  async *take(): AsyncGenerator<UploadOutcome, void, undefined> {
    for (;;) {
      yield* this.#outcomes.splice(0)
      if (this.#isEnded && this.#outcomes.length === 0) return
      await this.#wake.promise
      if (!this.#isEnded) this.#wake = Promise.withResolvers()
    }
  }

  #tell(outcome: UploadOutcome): void {
    this.#outcomes.push(outcome)
    this.#wake.resolve()
  }

  async #work(): Promise<void> {
    for (;;) {
      this.#o.signal.throwIfAborted()
      const large = this.#large.shift()
      if (large) await this.#sendOne(large)
      else if (this.#isBatchDue()) await this.#sendBatch(this.#takeBatch())
      else if (this.#isRead) return
      else await this.#next()
    }
  }

  async #next(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done) {
      this.#isRead = true
      this.#one.progress.isListed = true
      return
    }
    if (this.#isRead) return
    const { progress } = this.#one
    progress.listed++
    const file = progress.start(value.path, undefined)
    file.name = value.name
    try {
      this.#names.claim(value.name)
      progress.enter(file, 'verifying')
      const prepared = await prepare(value, {
        ...this.#o,
        digester: this.#digester,
        onSize: size => progress.sized(file, size),
      })
      // Small ones stay so until they are done: a line in the log for each would hide what matters.
      progress.enter(file, 'waiting')
      const isSmall = prepared.item.kind === 'file' && prepared.item.size <= SMALL
      const queue = isSmall && this.#hasBatches ? this.#small : this.#large
      queue.push({ prepared, file })
    } catch (error) {
      this.#fail(value, file, error)
    }
  }

  #isBatchDue(): boolean {
    if (this.#small.length === 0) return false
    if (this.#isRead || this.#small.length >= MOST_IN_BATCH) return true
    return this.#small.reduce((sum, { prepared }) => sum + prepared.item.size, 0) >= MOST_BATCH_BYTES
  }

  /** What is left is shared among those who can send it. */
  #takeBatch(): BatchItem[] {
    const share = this.#isRead ? Math.ceil(this.#small.length / (this.#o.concurrency ?? 4)) : MOST_IN_BATCH
    return this.#small.splice(0, Math.min(MOST_IN_BATCH, Math.max(16, share)))
  }

  async #sendBatch(items: readonly BatchItem[]): Promise<void> {
    if (items.length === 1 || !this.#hasBatches) {
      this.#large.push(...items)
      return
    }
    try {
      const outcomes = await uploadBatch(this.#librarian, items, this.#one)
      for (const [at, { prepared, file }] of items.entries()) {
        const outcome = outcomes[at]
        if (outcome?.ok) this.#succeed(prepared, file, outcome.uploaded)
        else this.#fail(prepared.request, file, outcome?.error)
      }
    } catch (error) {
      this.#o.signal.throwIfAborted()
      if (error instanceof LibrarianError && error.code === 'NoEndpoint') {
        // An older librarian: one after the other.
        this.#hasBatches = false
        this.#large.push(...items)
      } else for (const { prepared, file } of items) this.#fail(prepared.request, file, error)
    }
  }

  async #sendOne({ prepared, file }: BatchItem): Promise<void> {
    const isWorthARecord = prepared.item.size > SMALL
    const options = isWorthARecord ? this.#one : { ...this.#one, records: undefined }
    try {
      this.#succeed(prepared, file, await uploadOne(this.#librarian, prepared, file, options))
    } catch (error) {
      this.#fail(prepared.request, file, error)
    }
  }

  #succeed({ request }: Prepared, file: FileProgress, uploaded: UploadedFile): void {
    this.#one.progress.finish(file, uploaded.status === 'present' ? 'skipped' : 'done')
    this.#tell({ ok: true, request, uploaded })
  }

  #fail(request: UploadRequest, file: FileProgress, error: unknown): void {
    this.#one.progress.finish(file, 'failed')
    this.#o.signal.throwIfAborted()
    this.#tell({ ok: false, request, error: explained(error, this.#librarian.connection.url) })
  }
}

/** Names of one run: each once, and none inside another. */
class Names {
  readonly #taken = new Set<string>()
  readonly #parents = new Set<string>()

  claim(name: string): void {
    const parents = parentsOf(name)
    const other = this.#taken.has(name) ? name : parents.find(parent => this.#taken.has(parent))
    if (other !== undefined || this.#parents.has(name)) {
      const met = other ?? [...this.#taken].find(taken => nestsWith(taken, name)) ?? name
      const why = met === name ? 'two of the given files have this name' : `${met} would lie inside or around it`
      throw new TransferError('Usage', `Cannot upload as ${name}: ${why}`, {
        remedy: 'Choose another name, or upload from another directory.',
      })
    }
    this.#taken.add(name)
    for (const parent of parents) this.#parents.add(parent)
  }
}

function parentsOf(name: string): string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))
}

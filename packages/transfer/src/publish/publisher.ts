import { Worker } from 'node:worker_threads'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import type { Slot } from '../slots.ts'
import { workerUrl } from '../workers/worker-url.ts'
import type { FromWorker, Outcome, PublishJob, ToWorker } from './job.ts'

/** What is to be published; a slot's bytes, or a file that holds them: temporary and synced, or there already. */
export interface PublishRequest extends Omit<PublishJob, 'id' | 'content'> {
  readonly content: { readonly slot: Slot | undefined; readonly length: number } | undefined
}

interface Pending {
  readonly request: PublishRequest
  readonly resolve: (path: string) => void
  readonly reject: (error: unknown) => void
  isWritten: boolean
}

/** Files in one message, and how long the first of them waits for others. */
const ENOUGH_FOR_A_MESSAGE = 64
const MESSAGE_WAIT_MS = 10

/** The engine's side of the group commit: hands jobs to the worker in one message per turn of the event loop. */
export class Publisher {
  readonly #memory: SharedArrayBuffer
  #worker: Worker | undefined
  #exited: Promise<void> = Promise.resolve()
  readonly #pending = new Map<number, Pending>()
  #queue: PublishJob[] = []
  #next = 0
  /** Reasons to wait for a larger batch. */
  #expected = 0
  #timer: NodeJS.Timeout | undefined
  #isClosing = false

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory
  }

  /** Files handed over and not yet visible. */
  get pending(): number {
    return this.#pending.size
  }

  /**
   * More files are on their way here: a batch may wait for them. The returned function takes that back, and may be
   * called twice.
   */
  expect(): () => void {
    // A thread takes some 40 ms to start: time that the first file spends on its way anyhow.
    this.#start()
    this.#expected++
    let isTakenBack = false
    return () => {
      if (isTakenBack) return
      isTakenBack = true
      this.#expected--
      if (this.#expected === 0) this.#flushSoon()
    }
  }

  /**
   * Makes a verified file visible under its final name and durable; resolves with that name. Retains the slot until its
   * bytes are written. Rejects with Exists, NoSpace or Disk; then nothing of it is visible.
   */
  publish(request: PublishRequest): Promise<string> {
    if (this.#isClosing) {
      return Promise.reject(new TransferError('Cancelled', `Cannot publish ${request.final}: the engine was closed`))
    }
    request.content?.slot?.retain()
    const id = this.#next++
    const { content, ...rest } = request
    const job = { ...rest, id, content: content && { address: content.slot?.address ?? 0, length: content.length } }
    const queued = this.#queue.push(job)
    if (queued === 1) this.#sendSoon()
    else if (queued >= ENOUGH_FOR_A_MESSAGE) this.#send()
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { request, resolve, reject, isWritten: false })
    })
  }

  /** Publishes what is under way, then ends the worker. */
  async close(): Promise<void> {
    this.#send()
    this.#isClosing = true
    this.#post({ kind: 'close' })
    await this.#exited
  }

  /** A message costs about as much as writing a small file: while more files are coming, many share one. */
  #sendSoon(): void {
    if (this.#expected === 0) setImmediate(() => this.#send())
    else this.#timer = setTimeout(() => this.#send(), MESSAGE_WAIT_MS)
  }

  #send(): void {
    clearTimeout(this.#timer)
    const jobs = this.#queue
    if (jobs.length === 0) return
    this.#queue = []
    this.#start()
    this.#post({ kind: 'jobs', jobs })
    if (this.#expected === 0) this.#flushSoon()
  }

  /** After this turn, unless another file was announced meanwhile. */
  #flushSoon(): void {
    setImmediate(() => {
      if (this.#expected > 0 || this.#pending.size === 0) return
      this.#send()
      this.#post({ kind: 'flush' })
    })
  }

  #post(message: ToWorker): void {
    // As text: cloning the objects of a message one by one costs several times as much.
    this.#worker?.postMessage(JSON.stringify(message))
  }

  #start(): void {
    if (this.#worker) return
    const worker = new Worker(workerUrl('../workers/publish-worker', import.meta.url), {
      workerData: { memory: this.#memory },
      name: 'arriero-publish',
    })
    this.#worker = worker
    worker.on('message', (text: string) => this.#hear(JSON.parse(text) as FromWorker))
    worker.on('error', error => this.#died(error))
    this.#exited = new Promise(resolve => {
      worker.on('exit', () => {
        this.#worker = undefined
        this.#died(new Error('the thread ended'))
        resolve()
      })
    })
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'written') for (const id of message.ids) this.#written(id)
    else for (const outcome of message.outcomes) this.#settle(outcome)
  }

  #written(id: number): void {
    const pending = this.#pending.get(id)
    if (!pending || pending.isWritten) return
    pending.isWritten = true
    pending.request.content?.slot?.release()
  }

  #settle(outcome: Outcome): void {
    const pending = this.#pending.get(outcome.id)
    if (!pending) return
    this.#written(outcome.id)
    this.#pending.delete(outcome.id)
    if ('path' in outcome) return pending.resolve(outcome.path)
    const { action, ...error } = outcome.failure
    pending.reject(diskError(error, action, pending.request.final))
  }

  #died(cause: unknown): void {
    for (const [id, pending] of this.#pending) {
      this.#written(id)
      pending.reject(
        new TransferError('Disk', `Cannot publish ${pending.request.final}: the publishing thread failed`, { cause }),
      )
    }
    this.#pending.clear()
    // Their memory is given up: nobody may publish it any more.
    this.#queue = []
  }
}

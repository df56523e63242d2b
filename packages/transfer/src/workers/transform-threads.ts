/**
 * Threads for passes over bytes (`transform` given by module and export). A pass keeps its thread from its first byte to its
 * last, so these are no threads of the CPU pool: a pass that waits for bytes would hold up the very hooks that the bytes are
 * waiting for.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { abortable } from '../abortable.ts'
import { WorkerDied } from './cpu-pool.ts'
import type { FromPass, ToPass } from './transform-job.ts'
import { workerUrl } from './worker-url.ts'

export interface TransformThreadsOptions {
  /** Files whose bytes pass threads at once. Default: the cores. */
  readonly size?: number | undefined
  /** Most bytes of the heap of one thread. Default: V8's own limit. */
  readonly maxHeap?: number | undefined
}

/** Threads for one file. */
export interface Seats extends Disposable {
  /** A pass in a thread of its own; at most as many as were taken. */
  transform(module: string, name: string): (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>
}

export class TransformThreads {
  readonly #options: TransformThreadsOptions
  readonly #idle: Worker[] = []
  readonly #all = new Set<Worker>()
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(options: TransformThreadsOptions = {}) {
    this.#options = options
    this.#free = options.size ?? availableParallelism()
  }

  /** Threads that run a pass. */
  get busy(): number {
    return this.#all.size - this.#idle.length
  }

  /** Leave for `count` threads, all of one file, as soon as not too many files have theirs. */
  async take(count: number, signal: AbortSignal | undefined): Promise<Seats> {
    if (count > 0) await this.#leave(signal)
    let isHeld = count > 0
    return {
      transform: (module, name) => bytes =>
        new Pass(this.#thread(), { module, name, bytes, done: it => this.#keep(it) }),
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#give()
      },
    }
  }

  /** Ends all threads; passes under way fail. May be called twice. */
  async close(): Promise<void> {
    this.#idle.length = 0
    await Promise.all([...this.#all].map(worker => worker.terminate()))
  }

  async #leave(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) return void this.#free--
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    if (!signal) return promise
    await abortable(promise, signal).catch(error => {
      const at = this.#waiting.indexOf(resolve)
      // The leave came with the abort: it is for the next one.
      if (at === -1) this.#give()
      else this.#waiting.splice(at, 1)
      throw error
    })
  }

  #give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }

  #thread(): Worker {
    const idle = this.#idle.pop()
    if (idle) {
      idle.ref()
      return idle
    }
    const { maxHeap } = this.#options
    const worker = new Worker(workerUrl('transform-worker', import.meta.url), {
      name: 'transform',
      // What the process was started with (test runners, profilers) is none of a worker's business.
      execArgv: [],
      ...(maxHeap === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(maxHeap / 2 ** 20) } }),
    })
    this.#all.add(worker)
    worker.once('exit', () => {
      this.#all.delete(worker)
      const at = this.#idle.indexOf(worker)
      if (at !== -1) this.#idle.splice(at, 1)
    })
    // Told to the pass that runs there; what an idle thread left behind fails nobody.
    worker.on('error', () => {})
    return worker
  }

  #keep(worker: Worker): void {
    if (!this.#all.has(worker)) return
    worker.unref()
    this.#idle.push(worker)
  }
}

type Saying = ToPass extends infer Message ? (Message extends unknown ? Omit<Message, 'pass'> : never) : never

interface PassOptions {
  readonly module: string
  readonly name: string
  readonly bytes: AsyncIterable<Uint8Array>
  /** It came to its end: the thread is free. */
  done(worker: Worker): void
}

/** One pass, stepped through from here: nothing is computed that nobody waits for. */
let passes = 0

class Pass implements AsyncIterableIterator<Uint8Array> {
  /** What an earlier pass of the same thread left behind may still speak: each is known by its number. */
  readonly #number = ++passes
  readonly #worker: Worker
  readonly #o: PassOptions
  readonly #input: AsyncIterator<Uint8Array>
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined
  #isOver = false

  constructor(worker: Worker, options: PassOptions) {
    this.#worker = worker
    this.#o = options
    this.#input = options.bytes[Symbol.asyncIterator]()
    worker.on('message', this.#onMessage)
    worker.on('error', this.#onError)
    worker.on('exit', this.#onExit)
    this.#tell({ say: 'begin', module: options.module, name: options.name })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    this.#waiting = Promise.withResolvers()
    this.#tell({ say: 'next' })
    return this.#waiting.promise
  }

  /** Nobody wants more. One that is at work is ended with its thread: nothing else stops it. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    const end = { done: true, value: undefined } as const
    if (this.#isOver) return end
    if (this.#waiting) {
      this.#stopListening()
      await this.#worker.terminate()
      this.#over()
    } else {
      this.#waiting = Promise.withResolvers()
      this.#tell({ say: 'leave' })
      await this.#waiting.promise
    }
    return end
  }

  #tell(message: Saying): void {
    this.#worker.postMessage({ ...message, pass: this.#number })
  }

  readonly #onMessage = (message: FromPass) => {
    if (message.pass !== this.#number) return
    switch (message.say) {
      case 'want':
        return void this.#giveInput()
      case 'output':
        return this.#answered({ done: false, value: message.bytes as Uint8Array })
      case 'done':
        this.#over()
        this.#o.done(this.#worker)
        return this.#answered({ done: true, value: undefined })
      case 'thrown': {
        this.#over()
        this.#o.done(this.#worker)
        const { name, message: text, stack, code } = message
        return this.#failed(Object.assign(new Error(text), { name, stack, code }))
      }
    }
  }

  readonly #onError = (error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'its thread ran out of memory' : `its thread died: ${message}`
    this.#died(new WorkerDied(why, { cause: error }))
  }

  readonly #onExit = (code: number) => this.#died(new WorkerDied(`its thread ended with exit code ${code}`))

  #died(error: WorkerDied): void {
    this.#over()
    this.#failed(error)
  }

  async #giveInput(): Promise<void> {
    try {
      const { done, value } = await this.#input.next()
      if (!this.#isOver) this.#tell(done ? { say: 'end' } : { say: 'input', bytes: value })
    } catch (error) {
      if (!this.#isOver) this.#tell({ say: 'lost', message: error instanceof Error ? error.message : String(error) })
    }
  }

  #answered(result: IteratorResult<Uint8Array>): void {
    this.#waiting?.resolve(result)
    this.#waiting = undefined
  }

  #failed(error: unknown): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  /** The thread looks at no bytes of this pass any more. */
  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stopListening()
    this.#input.return?.()?.catch(() => {})
  }

  #stopListening(): void {
    this.#worker.off('message', this.#onMessage)
    this.#worker.off('error', this.#onError)
    this.#worker.off('exit', this.#onExit)
  }
}

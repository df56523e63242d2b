import { Worker } from 'node:worker_threads'
import type { LibrarianError } from '@arriero/api'
import type { Log } from '../../log.ts'
import { type Ask, type Call, fromWire, type Reply, type Tell } from './messages.ts'

export type ThreadKind = 'writer-worker' | 'reader-worker' | 'maintenance-worker'

export interface ThreadOptions {
  readonly kind: ThreadKind
  readonly data: object
  readonly log: Log
  /** What its callers hear when it dies in the middle: for a writer the outcome is then unknown. */
  readonly lost: (why: string) => LibrarianError
  /** It can no longer be used: it died, or it met what nothing can be trusted after. Called once. */
  readonly onFailure: (failure: LibrarianError) => void
}

interface Waiter {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The main thread's hold on one of the catalogue's threads. Calls of one turn of the event loop travel together. */
export class Thread {
  /** Resolves when it has opened the catalogue; rejects with the reason why it could not. */
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #options: ThreadOptions
  readonly #waiting = new Map<number, Waiter>()
  readonly #exited: Promise<void>
  #outbox: Call[] = []
  #lastId = 0
  #failure: LibrarianError | undefined
  #isClosing = false
  #ready!: Waiter

  constructor(options: ThreadOptions) {
    this.#options = options
    this.ready = new Promise((resolve, reject) => {
      this.#ready = { resolve: () => resolve(), reject }
    })
    // Whoever closes early does not ask for it.
    this.ready.catch(() => {})
    this.#worker = spawn(options)
    this.#worker.on('message', this.#onTell)
    this.#worker.on('error', (error: Error) => this.#onDeath(`its thread failed: ${error.message}`))
    this.#exited = new Promise(resolve => {
      this.#worker.on('exit', code => {
        this.#onDeath(`its thread ended with exit code ${code}`)
        resolve()
      })
    })
  }

  /** Calls that were asked and not answered. */
  get load(): number {
    return this.#waiting.size
  }

  call(area: string, name: string, args: unknown): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure)
    const id = this.#lastId++
    if (this.#outbox.push({ id, area, name, args }) === 1) setImmediate(this.#send)
    return this.#wait(id)
  }

  /** The one answer of a thread that was started for one piece of work. */
  result(): Promise<unknown> {
    return this.#wait(this.#lastId++)
  }

  /** Ends it when what it was asked is done. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#failure) return await this.kill()
    this.#send()
    this.#post({ ask: 'close' })
    await this.#exited
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#worker.terminate()
  }

  #wait(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  readonly #send = () => {
    const calls = this.#outbox
    this.#outbox = []
    if (calls.length === 0 || this.#failure) return
    try {
      this.#post({ ask: 'calls', calls })
    } catch {
      for (const call of calls) this.#sendAlone(call)
    }
  }

  /** Arguments that cannot be cloned are the fault of one call, not of those that travelled with it. */
  #sendAlone(call: Call): void {
    try {
      this.#post({ ask: 'calls', calls: [call] })
    } catch (error) {
      this.#waiting.get(call.id)?.reject(error)
      this.#waiting.delete(call.id)
    }
  }

  #post(ask: Ask): void {
    this.#worker.postMessage(ask)
  }

  readonly #onTell = (told: Tell) => {
    if (told.tell === 'ready') this.#ready.resolve(undefined)
    else if (told.tell === 'refused') this.#fail(fromWire(told.error))
    else if (told.tell === 'replies') for (const reply of told.replies) this.#settle(reply)
    else if (told.tell === 'condemned') this.#fail(fromWire(told.error))
    else this.#options.log[told.level](told.fields, told.message)
  }

  #settle(reply: Reply): void {
    const waiter = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if ('error' in reply) waiter?.reject(fromWire(reply.error))
    else waiter?.resolve(reply.value)
  }

  #onDeath(why: string): void {
    if (this.#isClosing && this.#waiting.size === 0) return
    this.#fail(this.#options.lost(why))
  }

  #fail(failure: LibrarianError): void {
    if (this.#failure) return
    this.#failure = failure
    this.#ready.reject(failure)
    for (const waiter of this.#waiting.values()) waiter.reject(failure)
    this.#waiting.clear()
    this.#options.onFailure(failure)
  }
}

function spawn({ kind, data }: ThreadOptions): Worker {
  const isSource = import.meta.url.endsWith('.ts')
  return new Worker(new URL(`./${kind}.${isSource ? 'ts' : 'js'}`, import.meta.url), {
    name: kind,
    workerData: data,
    // From source, the other packages are read from source too; what else the process was started with is not ours.
    execArgv: isSource ? ['--conditions=source'] : [],
    resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 },
  })
}

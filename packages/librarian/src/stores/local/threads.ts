import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { LibrarianError } from '@arriero/api'
import { errorOf } from './context.ts'
import type { Reply } from './store-worker.ts'
import type { Place, Request, TaskKind, Tasks } from './task.ts'

/** Threads for what stores do with disks; several stores may share them. */
export interface Threads extends AsyncDisposable {
  /** Threads that short tasks may use at once. */
  readonly size: number
  /** @throws LibrarianError as the task says; an abort's reason. */
  run<Kind extends TaskKind>(
    kind: Kind,
    ask: Tasks[Kind]['ask'],
    place: Place,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Tasks[Kind]['answer']>
}

export interface ThreadsOptions {
  /** Threads of the crew for short tasks; that for long ones has twice as many. Default: min(4, availableParallelism()), at least 2. */
  readonly size?: number | undefined
  /**
   * A crew's first task starts all of it, as where one is needed the others soon are, and each takes a while to load.
   * Default false: as they are needed.
   */
  readonly startTogether?: boolean | undefined
}

/** Full readings take minutes: a crew of their own, so that no upload waits for them. Half of the time it waits for disks. */
const long: ReadonlySet<TaskKind> = new Set(['examine', 'inspect', 'purge', 'removeStaging'])

export function createThreads({
  size = Math.max(2, Math.min(4, availableParallelism())),
  startTogether = false,
}: ThreadsOptions = {}): Threads {
  const crews = { short: createCrew(size, startTogether), long: createCrew(2 * size, false) }
  return {
    size,
    run(kind, ask, place, { signal } = {}) {
      return crews[long.has(kind) ? 'long' : 'short'].run(kind, ask, place, signal) as Promise<never>
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([crews.short.close(), crews.long.close()])
    },
  }
}

interface Waiting {
  readonly request: Request
  readonly resolve: (answer: unknown) => void
  readonly reject: (reason: unknown) => void
  readonly signal: AbortSignal | undefined
  readonly stop: () => void
}

/** One task at a time for each thread; the others wait here, where an abort still finds them. */
function createCrew(size: number, startTogether: boolean) {
  const waiting: Waiting[] = []
  const idle: Worker[] = []
  const crew = new Set<Worker>()
  const running = new Map<Worker, Waiting>()
  let isClosed = false

  const end = (worker: Worker): Waiting | undefined => {
    const job = running.get(worker)
    running.delete(worker)
    job?.signal?.removeEventListener('abort', job.stop)
    return job
  }
  const settle = (worker: Worker, reply: Reply) => {
    const job = end(worker)
    worker.unref()
    idle.push(worker)
    next()
    if (!job) return
    if ('stopped' in reply) job.reject(job.signal?.reason)
    else if (reply.ok) job.resolve(reply.value)
    else job.reject(errorOf(reply.error))
  }
  const die = (worker: Worker, how: string, cause?: unknown) => {
    crew.delete(worker)
    const at = idle.indexOf(worker)
    if (at !== -1) idle.splice(at, 1)
    const message = `The store’s thread must stay until the end, it ${how}`
    end(worker)?.reject(new LibrarianError('Internal', message, { cause }))
    next()
  }
  const spawn = (): Worker => {
    const isSource = import.meta.url.endsWith('.ts')
    const worker = new Worker(new URL(`./store-worker.${isSource ? 'ts' : 'js'}`, import.meta.url), {
      name: 'store-worker',
      // What the process was started with (test runners, profilers) is none of a worker's business.
      execArgv: isSource ? ['--conditions=source'] : [],
    })
    worker.unref()
    worker.on('message', (reply: Reply) => settle(worker, reply))
    worker.on('error', error => die(worker, `failed: ${String(error)}`, error))
    worker.on('exit', code => die(worker, `ended with code ${code}`))
    crew.add(worker)
    return worker
  }
  const next = () => {
    while (waiting.length > 0 && (idle.length > 0 || crew.size < size) && !isClosed) {
      const job = waiting.shift()!
      if (job.signal?.aborted) {
        job.reject(job.signal.reason)
        continue
      }
      const worker = idle.pop() ?? spawn()
      while (startTogether && crew.size < size) idle.push(spawn())
      running.set(worker, job)
      worker.ref()
      job.signal?.addEventListener('abort', job.stop, { once: true })
      worker.postMessage(job.request)
    }
  }
  return {
    run(kind: TaskKind, ask: unknown, place: Place, signal: AbortSignal | undefined): Promise<unknown> {
      if (isClosed) return Promise.reject(new LibrarianError('Busy', 'The store was closed'))
      const request = { kind, ask, place, stop: new Int32Array(new SharedArrayBuffer(4)) } as Request
      return new Promise((resolve, reject) => {
        const stop = () => void Atomics.store(request.stop, 0, 1)
        waiting.push({ request, resolve, reject, signal, stop })
        next()
      })
    },
    async close() {
      isClosed = true
      for (const job of waiting.splice(0)) job.reject(new LibrarianError('Busy', 'The store was closed'))
      await Promise.all([...crew].map(worker => worker.terminate()))
    },
  }
}

/**
 * Threads for the caller's own CPU work: functions of pipelines and hooks, named by module and export.
 *
 * Piscina keeps the threads: they start when there is work for one more, end when idle, and one that dies (out of memory,
 * `process.exit`, an error that nobody catches) fails what it was doing and is replaced. Bytes reach a function as shared
 * memory and never as a copy in a message.
 */
import { availableParallelism } from 'node:os'
import type { Piscina } from 'piscina'
import { abortable } from '../abortable.ts'
import { TransferError } from '../errors.ts'
import type { CpuReply, CpuTask, Thrown } from './cpu-job.ts'
import { inSharedMemory } from './in-shared-memory.ts'
import { workerUrl } from './worker-url.ts'

export interface CpuPoolOptions {
  /** Most threads. Default: the cores. */
  readonly size?: number | undefined
  /** Most bytes of the heap of one thread; what needs more fails. Default: V8's own limit. */
  readonly maxHeap?: number | undefined
}

export interface CpuJob extends CpuTask {
  /** Ends the thread: nothing else stops a function that computes. */
  readonly signal?: AbortSignal | undefined
  /** Longest time for the call, counted from when a thread is free for it; then the thread is ended. Default: no limit. */
  readonly timeoutMs?: number | undefined
}

export interface CpuResult {
  readonly value: unknown
  /** The function gave `drop(reason)`; the value is the reason. */
  readonly isDropped?: boolean | undefined
  /** What the function said by `context.warn`. */
  readonly warnings: readonly string[]
}

export interface CpuPool {
  /** Most threads. */
  readonly size: number
  /** Calls under way or waiting. */
  readonly pending: number
  /**
   * Calls a function in a thread. Rejects with what it threw (name, message, stack, code and `retriable` as they were), with
   * TransferError Timeout, with `WorkerDied` when the thread ended, or with the signal's reason.
   */
  run(job: CpuJob): Promise<CpuResult>
  /** Loads the module in a thread. Rejects where it cannot be loaded, or has no such function. */
  check(job: Pick<CpuJob, 'module' | 'name' | 'signal'>): Promise<void>
  /** Ends all threads; what they still had to do rejects. May be called twice. */
  close(): Promise<void>
}

/** The thread of a call ended before it answered. */
export class WorkerDied extends Error {
  override readonly name = 'WorkerDied'
}

const IDLE_MS = 5000

export function createCpuPool({ size = availableParallelism(), maxHeap }: CpuPoolOptions = {}): CpuPool {
  let made: Promise<Piscina> | undefined
  let isClosed = false
  let free = size
  let pending = 0
  const waiting: (() => void)[] = []
  const threads = () =>
    (made ??= import('piscina').then(({ Piscina }) => start(new Piscina(optionsFor(size, maxHeap)))))

  /** Calls queue here and not in Piscina, so that their time limits begin when they do. */
  const takeThread = async (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted()
    if (free > 0) return void free--
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push(resolve)
    if (!signal) return promise
    await abortable(promise, signal).catch(error => {
      const at = waiting.indexOf(resolve)
      // The thread came with the abort: it is for the next one.
      if (at === -1) giveThread()
      else waiting.splice(at, 1)
      throw error
    })
  }
  const giveThread = () => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }

  const call = async ({ signal, timeoutMs, ...task }: CpuJob): Promise<CpuResult> => {
    signal?.throwIfAborted()
    if (isClosed) throw closed()
    // The library is loaded before the limit begins: that is our time and not the function's.
    const pool = await threads()
    const limit = timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY ? undefined : timeoutMs
    const ends = [signal, limit === undefined ? undefined : AbortSignal.timeout(limit)].filter(
      each => each !== undefined,
    )
    const end = ends.length > 0 ? AbortSignal.any(ends) : null
    // Together: the item that a context names may be the very value.
    const [context, ...args] = inSharedMemory([task.context, ...task.args])
    let reply: CpuReply
    try {
      reply = await pool.run({ ...task, args, context }, { signal: end })
    } catch (error) {
      signal?.throwIfAborted()
      if (end?.aborted) throw tooLong(task, limit as number)
      if (isClosed) throw closed()
      throw uncloneable(error) ?? new WorkerDied(whyDied(error), { cause: error })
    }
    if ('thrown' in reply) throw Object.assign(asError(reply.thrown), { warnings: reply.warnings })
    return reply
  }

  const run = async (job: CpuJob): Promise<CpuResult> => {
    pending++
    try {
      await takeThread(job.signal)
      try {
        return await call(job)
      } finally {
        giveThread()
      }
    } finally {
      pending--
    }
  }

  return {
    size,
    get pending() {
      return pending
    },
    run,
    async check(job) {
      await run({ ...job, args: [], isCheck: true })
    },
    async close() {
      isClosed = true
      await (await made)?.destroy()
    },
  }
}

function optionsFor(size: number, maxHeap: number | undefined) {
  return {
    filename: workerUrl('cpu-worker', import.meta.url).href,
    minThreads: 0,
    maxThreads: size,
    idleTimeout: IDLE_MS,
    // Functions may leave timers or promises behind: a thread that sleeps in Atomics.wait would never run them.
    atomics: 'disabled' as const,
    recordTiming: false,
    // What the process was started with (test runners, profilers) is none of a worker's business.
    execArgv: [],
    ...(maxHeap === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(maxHeap / 2 ** 20) } }),
  }
}

function start(pool: Piscina): Piscina {
  // What a function leaves behind may fail when its call has long been answered: the thread is replaced, and that is all.
  pool.on('error', () => {})
  return pool
}

function tooLong({ name }: CpuTask, limitMs: number): TransferError {
  const message = `${name} did not answer within ${limitMs / 1000} s; its thread was ended`
  return new TransferError('Timeout', message, { phase: 'call', retriable: false })
}

function closed(): TransferError {
  return new TransferError('Cancelled', 'Cannot compute: the pool must be open, it was closed')
}

/** Functions and the like exist in one thread only. What the thread met comes without its message, but with its stack. */
function uncloneable(error: unknown): Error | undefined {
  const { name, message, stack = '' } = error as Error
  const isOurs = name === 'DataCloneError'
  const what = isOurs ? message : /^DataCloneError: (.*)/.exec(stack)?.[1]
  if (what === undefined) return undefined
  const shown = `${what.slice(0, 100)}${what.length > 100 ? '…' : ''}`
  return new Error(`what it ${isOurs ? 'is given' : 'gave'} cannot go from thread to thread: ${shown}`, {
    cause: error,
  })
}

function whyDied(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'its thread ran out of memory'
  const exit = /exited with code: (-?\d+)/.exec(message)?.[1]
  return exit === undefined ? `its thread died: ${message}` : `its thread ended with exit code ${exit}`
}

/** What the function threw, as good as new. */
function asError({ name, message, stack, code, retriable }: Thrown): Error {
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  error.name = name
  return Object.assign(error, code === undefined ? {} : { code }, retriable === undefined ? {} : { retriable })
}

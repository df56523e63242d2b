/**
 * Hash workers over one shared memory. A message carries an address and a length, never bytes.
 *
 * Workers start when there is work for one more of them, up to `size`, and keep the process alive only while they
 * work. A stream stays on its worker. When a worker dies, what it had to do rejects with a retriable TransferError, its
 * streams are lost, and later streams get a new worker.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TransferError } from '../errors.ts'
import { type DigestStream, type HashLane, inlineLane } from '../integrity/hash-lane.ts'
import { isLoaded } from '../integrity/hasher.ts'
import type { HashReply, HashRequest, HashWorkerData, Piece } from './hash-worker.ts'
import { workerUrl } from './worker-url.ts'

export interface HashPoolOptions {
  /** The memory that the bytes lie in; `Slots.buffer`. Bytes elsewhere are hashed too, at the price of a copy. */
  readonly buffer: SharedArrayBuffer
  /** Most workers. Default: min(4, availableParallelism()). */
  readonly size?: number | undefined
  /** Starts a worker. Default: a thread that runs `hash-worker`. */
  readonly spawn?: ((data: HashWorkerData) => Worker) | undefined
}

/** Threads that compute slow digests over the memory in which parts landed. */
export interface HashPool extends HashLane {
  /** Bytes that workers have been asked to digest and have not; for profiles. */
  readonly pendingBytes: number
  /** Ends all workers; what they still had to do rejects. May be called twice. */
  close(): Promise<void>
}

/** A chunk smaller than this is digested here: asking a worker takes about as long as a CRC of it. */
const CHUNK_INLINE_LIMIT = 131_072

/** Threads for slow digests over one shared memory. */
export function createHashPool({
  buffer,
  size = Math.min(4, availableParallelism()),
  spawn = spawnHashWorker,
}: HashPoolOptions): HashPool {
  const crew = new Set<Member>()
  let isClosed = false
  let streams = 0

  const leastBusy = (): Member => {
    if (isClosed) return nobody
    let best: Member | undefined
    for (const member of crew) if (!best || isLessBusy(member, best)) best = member
    if (best && (crew.size >= size || (best.pendingBytes === 0 && best.openStreams === 0))) return best
    const member = createMember(spawn({ buffer }), () => crew.delete(member))
    crew.add(member)
    return member
  }

  const pieceOf = (bytes: Uint8Array): Piece =>
    bytes.buffer === buffer ? { address: bytes.byteOffset, length: bytes.length } : { copy: bytes.slice() }

  return {
    get pendingBytes() {
      let sum = 0
      for (const member of crew) sum += member.pendingBytes
      return sum
    },
    open(algorithm) {
      const stream = ++streams
      const member = leastBusy()
      member.openStreams++
      member.tell({ ask: 'open', stream, algorithm })
      return createStream(member, stream, pieceOf)
    },
    digestChunk(algorithms, bytes) {
      const isHere = bytes.length < CHUNK_INLINE_LIMIT || bytes.buffer !== buffer
      if (isHere && algorithms.every(isLoaded)) return inlineLane.digestChunk(algorithms, bytes)
      return leastBusy().call({ ask: 'chunk', algorithms, piece: pieceOf(bytes) }, bytes.length)
    },
    async close() {
      isClosed = true
      await Promise.all([...crew].map(member => member.end()))
    },
  }
}

function isLessBusy(a: Member, b: Member): boolean {
  return a.openStreams === b.openStreams ? a.pendingBytes < b.pendingBytes : a.openStreams < b.openStreams
}

function spawnHashWorker(data: HashWorkerData): Worker {
  return new Worker(workerUrl('hash-worker', import.meta.url), {
    name: 'hash-worker',
    workerData: data,
    // What the process was started with (test runners, profilers) is none of a hash worker's business.
    execArgv: [],
  })
}

function createStream(member: Member, stream: number, pieceOf: (bytes: Uint8Array) => Piece): DigestStream {
  let isOpen = true
  const end = () => {
    if (!isOpen) return false
    isOpen = false
    member.openStreams--
    return true
  }
  return {
    async update(bytes) {
      await member.call({ ask: 'update', stream, piece: pieceOf(bytes) }, bytes.length)
    },
    async digest() {
      end()
      const [digest] = await member.call({ ask: 'digest', stream }, 0)
      return digest!
    },
    close() {
      if (end()) member.tell({ ask: 'close', stream })
    },
  }
}

/** One worker and what it was asked. */
interface Member {
  /** Bytes that it has been asked to digest and has not. */
  readonly pendingBytes: number
  openStreams: number
  tell(request: HashRequest): void
  call(request: HashRequest, bytes: number): Promise<readonly Uint8Array[]>
  end(): Promise<void>
}

interface Call {
  readonly bytes: number
  readonly resolve: (digests: readonly Uint8Array[]) => void
  readonly reject: (reason: unknown) => void
}

/** Who works for a closed pool. */
const nobody: Member = {
  pendingBytes: 0,
  openStreams: 0,
  tell() {},
  call: () => Promise.reject(new TransferError('Cancelled', 'Cannot hash: the pool must be open, it was closed')),
  async end() {},
}

function createMember(worker: Worker, onGone: () => void): Member {
  let calls: Call[] = []
  let pendingBytes = 0
  let death: TransferError | undefined

  const die = (how: string, cause?: unknown) => {
    death ??= new TransferError('Unverifiable', `Cannot hash: the hash worker must stay until the end, it ${how}`, {
      cause,
      retriable: true,
    })
    onGone()
    for (const { reject } of calls) reject(death)
    calls = []
    pendingBytes = 0
  }
  const settle = (reply: HashReply) => {
    const call = calls.shift()
    if (!call) return
    pendingBytes -= call.bytes
    if (calls.length === 0) worker.unref()
    if ('digests' in reply) call.resolve(reply.digests)
    else call.reject(new TransferError('Unverifiable', `Cannot hash: ${reply.error}`, { retriable: true }))
  }
  worker.unref()
  worker.on('message', settle)
  worker.on('error', error => die(`failed: ${String(error)}`, error))
  worker.on('messageerror', error => {
    die('sent what cannot be read', error)
    void worker.terminate()
  })
  worker.on('exit', code => die(`ended with code ${code}`))

  return {
    openStreams: 0,
    get pendingBytes() {
      return pendingBytes
    },
    tell(request) {
      if (!death) worker.postMessage(request)
    },
    call(request, bytes) {
      if (death) return Promise.reject(death)
      if (calls.length === 0) worker.ref()
      pendingBytes += bytes
      return new Promise((resolve, reject) => {
        calls.push({ bytes, resolve, reject })
        worker.postMessage(request)
      })
    },
    async end() {
      await worker.terminate()
    },
  }
}

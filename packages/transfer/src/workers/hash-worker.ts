/**
 * The hash worker: digests bytes of the shared memory that the main thread names by address and length. Requests are
 * answered in the order in which they came, so replies need no names.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { DigestAlgorithm } from '../integrity/algorithms.ts'
import { createHasher, digestOf, isLoaded, loadHashers } from '../integrity/hasher.ts'
import type { Hasher } from '../integrity/running-digest.ts'

export interface HashWorkerData {
  readonly buffer: SharedArrayBuffer
}

/** Bytes in the shared memory, or a copy of bytes that were elsewhere. */
export type Piece = { readonly address: number; readonly length: number } | { readonly copy: Uint8Array }

/** `open` and `close` have no reply. */
export type HashRequest =
  | { readonly ask: 'open'; readonly stream: number; readonly algorithm: DigestAlgorithm }
  | { readonly ask: 'update'; readonly stream: number; readonly piece: Piece }
  | { readonly ask: 'digest' | 'close'; readonly stream: number }
  | { readonly ask: 'chunk'; readonly algorithms: readonly DigestAlgorithm[]; readonly piece: Piece }

export type HashReply = { readonly digests: readonly Uint8Array[] } | { readonly error: string }

const { buffer } = workerData as HashWorkerData
const streams = new Map<number, Hasher>()

function bytesOf(piece: Piece): Uint8Array {
  return 'copy' in piece ? piece.copy : new Uint8Array(buffer, piece.address, piece.length)
}

function hasherOf(stream: number): Hasher {
  const hasher = streams.get(stream)
  if (!hasher) throw new Error(`stream ${stream} is not open`)
  return hasher
}

function answer(request: HashRequest): readonly Uint8Array[] | undefined {
  switch (request.ask) {
    case 'open':
      streams.set(request.stream, createHasher(request.algorithm))
      return undefined
    case 'close':
      streams.delete(request.stream)
      return undefined
    case 'update':
      hasherOf(request.stream).update(bytesOf(request.piece))
      return []
    case 'digest': {
      const digest = hasherOf(request.stream).digest()
      streams.delete(request.stream)
      return [digest]
    }
    case 'chunk': {
      const bytes = bytesOf(request.piece)
      return request.algorithms.map(algorithm => digestOf(algorithm, bytes))
    }
  }
}

function reply(request: HashRequest): HashReply | undefined {
  try {
    const digests = answer(request)
    return digests && { digests }
  } catch (error) {
    // A digest that missed some bytes must never be given out.
    if ('stream' in request) streams.delete(request.stream)
    return { error: String(error) }
  }
}

const waiting: HashRequest[] = []
let isBusy = false

/** One after the other; what an algorithm needs is loaded when it is asked for first. */
async function work(): Promise<void> {
  if (isBusy) return
  isBusy = true
  for (let request = waiting.shift(); request; request = waiting.shift()) {
    const needed = algorithmsOf(request)
    if (!needed.every(isLoaded)) await loadHashers(needed)
    const message = reply(request)
    if (message) parentPort!.postMessage(message)
  }
  isBusy = false
}

function algorithmsOf(request: HashRequest): readonly DigestAlgorithm[] {
  if (request.ask === 'open') return [request.algorithm]
  return request.ask === 'chunk' ? request.algorithms : []
}

parentPort!.on('message', (request: HashRequest) => {
  waiting.push(request)
  void work()
})

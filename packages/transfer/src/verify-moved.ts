import { wantedOf } from './answered.ts'
import { TransferError } from './errors.ts'
import type { Digester } from './integrity/digester.ts'
import type { Digests } from './integrity/digests.ts'
import { searchComposites } from './integrity/search-composites.ts'
import type { Expectation, Verification } from './integrity/verification.ts'
import { verify } from './integrity/verify.ts'
import type { Moved } from './move/move.ts'
import type { Resource } from './resource.ts'
import type { Sink } from './sink.ts'
import type { Task } from './task.ts'

/** Readings of the whole file that a guess of the source's ETag is worth; one that the caller stated is worth all. */
const GUESSES = 4

export interface MovedParts {
  readonly task: Task
  readonly sink: Sink<unknown>
  /** As it answered. */
  readonly resource: Resource
  readonly expectations: readonly Expectation[]
  /** Saw every byte; undefined: no digest was asked for. */
  readonly digester: Digester | undefined
}

/** Holds what was moved to the checksums that are known of it, and to the size that was stated. */
export async function verifyMoved(moved: Moved, parts: MovedParts): Promise<Verification> {
  const { task, expectations } = parts
  const size = moved.end - (task.range?.start ?? 0)
  const digests = await digestsOf(size, parts)
  const resource = wantedOf(parts.resource, task.range)
  if (!moved.isLengthProven && task.size === undefined && !task.options.allowUnverifiedLength) {
    const hasChecksum = expectations.some(({ algorithm }) => algorithm !== 'null')
    if (!hasChecksum) throw unprovenEnd(task)
  }
  const statedSize = resource.size ?? task.size ?? (moved.isLengthProven ? size : undefined)
  const { requireChecksum } = task.options
  const stored = task.range ? undefined : resource.storedChecksums
  return verify(expectations, digests, size, { statedSize, requireChecksum, stored })
}

/** Composites whose layout none of the likely part sizes explains are searched by reading the file once more. */
async function digestsOf(size: number, { task, sink, expectations, digester }: MovedParts): Promise<Digests> {
  const digests = (await digester?.finish(size)) ?? { size, values: {}, composites: [] }
  if (!sink.readBack || digests.composites.every(({ untried }) => untried.length === 0)) return digests
  const read = (offset: number, into: Uint8Array) => sink.readBack?.(offset, into) ?? Promise.resolve()
  const isStated = expectations.some(({ authority }) => authority !== 'source')
  return searchComposites(digests, { read, signal: task.signal, maxCandidates: isStated ? undefined : GUESSES })
}

function unprovenEnd({ shownUri }: Task): TransferError {
  const message = `Cannot accept ${shownUri}: the server closed the connection and never said how long the body is`
  return new TransferError('Unverifiable', message, { url: shownUri })
}

import { isReadingAmbiguous } from './answered.ts'
import { TransferError } from './errors.ts'
import { CONTRADICTION } from './integrity/contradiction.ts'
import type { Places } from './move/places.ts'
import type { Resource } from './resource.ts'
import type { SinkCapabilities } from './sink.ts'
import type { Task } from './task.ts'

/** What an attempt does differently, after what an earlier one met. */
export interface Manner {
  /** Indexes of the only places to ask. */
  readonly places?: readonly number[] | undefined
  /** Content-coded bytes are taken as they are sent. */
  readonly isRaw?: boolean | undefined
}

export interface FailedFetch {
  readonly task: Task
  readonly sink: SinkCapabilities
  /** From 1. */
  readonly attempt: number
  readonly manner: Manner
  /** As far as they were opened. */
  readonly places: Places | undefined
  /** As it answered, if it did. */
  readonly resource: Resource | undefined
  /** It went on from what an earlier run had left. */
  readonly hasEarlier: boolean
  /** Bytes that landed. */
  readonly received: number
}

/** Attempts for content that arrived wrong or cannot be continued (reliability D3). */
const MAX_ATTEMPTS = 3

/** How a new attempt from nothing may end better than the one that failed; undefined: it may not. */
export function startOver(error: unknown, failed: FailedFetch): Manner | undefined {
  const { task, sink, attempt, manner } = failed
  if (!(error instanceof TransferError) || task.signal.aborted || attempt >= MAX_ATTEMPTS) return undefined
  if (sink.order === 'ascending' || sink.isSeen) return undefined
  // The same question would be answered the same.
  if (error.details.reason === CONTRADICTION) return undefined
  if (error.code === 'ChecksumMismatch') return afterMismatch(failed)
  return mayStartOver(error, failed) ? manner : undefined
}

function mayStartOver({ code }: TransferError, { resource, hasEarlier, received }: FailedFetch): boolean {
  // Seen at first contact: the earlier run's bytes are of another version. Later it is the source that changes now.
  if (code === 'ResourceChanged') return hasEarlier && resource === undefined
  if (code === 'RangeUnsupported') return true
  // A stream of which nothing proves the version cannot be continued, only repeated.
  const wasCut = code === 'Network' || code === 'Timeout'
  return wasCut && resource !== undefined && resource.ranges !== 'yes' && received > 0
}

/** Another reading, another place, or once more; what was continued from an earlier run is the first suspect. */
function afterMismatch({ task, attempt, manner, places, resource }: FailedFetch): Manner | undefined {
  if (isReadingAmbiguous(task, resource)) return { isRaw: true }
  const { all = [] } = places ?? {}
  // The first time the way here is as likely to be the cause as the source.
  const isElsewhere = attempt > 1 && all.length === 1 && all[0]?.source.distrust?.() === true
  if (attempt > 1 && all.length === 1 && !isElsewhere) return undefined
  return { ...manner, places: places?.others(attempt) }
}

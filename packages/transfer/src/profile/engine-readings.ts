/** What an engine has to tell a profile. Read ten times a second; nothing here is counted for it alone. */
import type { EngineParts } from '../engine.ts'
import type { Progress } from '../progress.ts'

export interface EngineReadings {
  /** Payload bytes so far. */
  readonly received: number
  readonly conns: number
  readonly wip_bytes: number
  readonly slots_free: number
  readonly retries: number
  readonly hedges: number
  readonly hash_backlog: number
}

export function readEngine({ slots, pool }: Pick<EngineParts, 'slots' | 'pool'>, progress: Progress): EngineReadings {
  return {
    received: progress.received,
    conns: progress.connections,
    wip_bytes: slots.reserved,
    slots_free: slots.budget - slots.reserved,
    retries: progress.retries,
    hedges: progress.hedges,
    hash_backlog: pool.pendingBytes,
  }
}

/** `prepare` until bytes are asked for, `fetch` while any file has some to come, then what the last files are at. */
export type EnginePhase = 'prepare' | 'fetch' | 'verify' | 'publish'

/** Undefined when nothing is at work now: then the phase before goes on. Cheap while there is a list to work on. */
export function enginePhase(progress: Progress): EnginePhase | undefined {
  const { active, listed, isListed, done, skipped, failed, received } = progress
  const finished = done + skipped + failed
  // Between two files of a list, as between two parts of a file, more is to come.
  if ((listed > 0 && !isListed) || finished + active.size < listed) return finished + received > 0 ? 'fetch' : 'prepare'
  let latest: EnginePhase | undefined
  for (const { state } of active) {
    if (state === 'fetching') return 'fetch'
    if (state === 'verifying') latest = 'verify'
    if (state === 'publishing') latest ??= 'publish'
  }
  return latest ?? (finished + received > 0 ? undefined : 'prepare')
}

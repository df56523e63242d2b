import { digestOf, Occurrences } from './occurrences.ts'
import type { Commit, PipelineState, StateRecord } from './state.ts'

/** What outlives a run of `createMemoryState`, as a file outlives a process. */
export interface KeptState {
  readonly records: Map<string, StateRecord>
  readonly lines: Uint8Array[]
}

export function emptyState(): KeptState {
  return { records: new Map(), lines: [] }
}

/** The twin of the state file: for tests, and the plainest statement of what a state does. */
export function createMemoryState(kept: KeptState): PipelineState {
  const occurrences = new Occurrences()
  return {
    find(key) {
      const { nth, digest } = occurrences.next(key)
      return { nth, record: kept.records.get(digest) }
    },
    async commit(batch: readonly Commit[]) {
      for (const { record, line } of batch) {
        if (line) kept.lines.push(line)
        kept.records.set(digestOf(record.key, record.nth ?? 1), record)
      }
    },
    async close() {},
  }
}

/** What this process counts while it works, for those who watch it. Cheap, and never throws: nothing depends on it. */
import type { CommitOrigin } from './commit/commits.ts'

export interface MeteredRequest {
  readonly method: string
  /** As the router has it, so that nothing of it is the caller's; `other`: there is no such route. */
  readonly route: string
  /** Undefined: the caller went before there was an answer. */
  readonly status: number | undefined
  readonly seconds: number
  /** Bytes of the connection, heads included. */
  readonly received: number
  readonly sent: number
}

export interface MeteredCommit {
  readonly origin: CommitOrigin['from']
  /** `same`: the name had these very bytes. */
  readonly outcome: 'committed' | 'same' | 'failed'
  readonly bytes: number
  readonly seconds: number
}

export interface MeteredRun {
  /** Of the task: a key of the settings. */
  readonly kind: string
  readonly outcome: string
  readonly seconds: number
}

export interface Meters {
  /** A request came; to be called with what became of it. */
  request(): (of: MeteredRequest) => void
  commit(of: MeteredCommit): void
  run(of: MeteredRun): void
}

export const noMeters: Meters = { request: () => () => {}, commit() {}, run() {} }

/** Jobs, recurring tasks, and the pieces of work of the embedded task engine. */
import type { Instant } from '@arriero/api'
import type { Generated } from 'kysely'

export interface WorkTables {
  job: JobTable
  job_item: JobItemTable
  task: TaskTable
  piece: PieceTable
}

/** Work that outlives a process: ingest now, more kinds with the task engine. */
export interface JobTable {
  /** 128 random bits in hex. */
  id: string
  kind: string
  owner: string
  status: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
  /** JSON, as the kind defines it; never a secret. */
  request: string
  created: Instant
  started: Instant | null
  ended: Instant | null
  /** Last words, where it failed. */
  reason: string | null
  total: number
  done: number
  failed: number
  bytes: number
}

export interface JobItemTable {
  id: Generated<number>
  job_id: string
  /** Place in the job's list, from 0. */
  position: number
  name: string
  status: 'pending' | 'done' | 'exists' | 'failed'
  attempts: number
  reason: string | null
  /** JSON of what to fetch; secrets are never in it. */
  entry: string
}

/** A recurring task of the settings: when it ran, what came of it, when it runs again. */
export interface TaskTable {
  /** `kind:` and a digest of its settings, so that an entry of the settings keeps its row as long as it says the same. */
  id: string
  kind: string
  /** As the settings call it. */
  name: string
  /** When it is to run again, for people: the engine's own row decides. Null: not before somebody asks for it. */
  next_run: Instant | null
  /** 128 random bits in hex of the run that has it; every write of that run names them. Null: none goes on. */
  run: string | null
  /** When that run last said that it goes on. One that was not heard of for long is nobody's. */
  heard: Instant | null
  /** Of the run that goes on, or else of the last one. */
  started: Instant | null
  /** Of the last run that ended. */
  ended: Instant | null
  outcome: 'done' | 'partial' | 'failed' | 'off' | 'interrupted' | null
  /** What came of the last run, for people. */
  note: string | null
  /** JSON of counts: of the run that goes on, or else of the last one. */
  counts: string
  /** JSON, the task's own: where the next run goes on. */
  cursor: string | null
}

/** A piece of work that somebody wants done, for the embedded task engine. What is done has no row. */
export interface PieceTable {
  queue: string
  key: string
  /** Not before this time. Null: whoever has it does all that is wanted. */
  due: Instant | null
  /** When it was last wanted. In the future: the clock was put back, and `due` cannot be believed. */
  wanted: Instant
  /** Greater goes first. */
  priority: number
  /** That failed, one after the other. */
  attempts: number
  /** 128 random bits in hex of the delivery that has it; every write of that delivery names them. Null: nobody has it. */
  claim: string | null
  /** Until then it is theirs, unless they renew. */
  expires: Instant | null
  /** Why the last attempt failed. */
  reason: string | null
}

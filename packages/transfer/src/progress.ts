import { HookClock } from './hooks/times.ts'

/** Counting, without any idea of terminals: the engine counts, whoever shows it reads. */

export type FileState = 'waiting' | 'fetching' | 'verifying' | 'publishing' | 'done' | 'skipped' | 'failed'

/** One file under way. */
export interface FileProgress {
  readonly id: number
  /** Redacted URL. */
  readonly uri: string
  /** Final name, once known. */
  name: string | undefined
  size: number | undefined
  /** Bytes that landed in this run. */
  received: number
  /** Bytes that an earlier run left and that were trusted. */
  held: number
  state: FileState
}

/** Counts of a run, up to date whenever they are read; what shows them comes back for more. */
export class Progress {
  /** Files that are neither waiting nor finished. */
  readonly active = new Set<FileProgress>()
  /** Entries known so far. */
  listed = 0
  /** True once `listed` is final. */
  isListed = false
  done = 0
  skipped = 0
  failed = 0
  /** Failed files of which something was kept that the same call continues. */
  resumable = 0
  /** Failed files of which something was kept that only `allowWeakResume` continues: nothing proves their version. */
  unproven = 0
  /** Payload bytes received over the network in this run. */
  received = 0
  /** Bytes that earlier runs left and that were trusted. */
  held = 0
  /** Sum of the sizes known so far. */
  size = 0
  /** Entries whose size is not known. */
  unsized = 0
  /** Requests in flight. */
  connections = 0
  /** Most of them at one time. */
  peakConnections = 0
  retries = 0
  hedges = 0
  /** Time in the caller's hooks, by hook: a running total. */
  readonly hooks = new HookClock()
  /** Called when a file enters another state; for a profile's phases. */
  onState: (() => void) | undefined
  /** Bytes that hedges received: asked for twice. */
  hedgedBytes = 0
  #next = 0

  /** ms in the caller's hooks so far, all together; hooks that run at once each count. */
  get hooksMs(): number {
    return this.hooks.ms
  }

  start(uri: string, size: number | undefined): FileProgress {
    const file: FileProgress = {
      id: this.#next++,
      uri,
      name: undefined,
      size: undefined,
      received: 0,
      held: 0,
      state: 'waiting',
    }
    this.unsized++
    this.active.add(file)
    if (size !== undefined) this.sized(file, size)
    return file
  }

  enter(file: FileProgress, state: FileState): void {
    file.state = state
    this.onState?.()
  }

  /** The size of a file became known. */
  sized(file: FileProgress, size: number): void {
    if (file.size === undefined) this.unsized--
    this.size += size - (file.size ?? 0)
    file.size = size
  }

  landed(file: FileProgress, count: number): void {
    file.received += count
    this.received += count
  }

  finish(file: FileProgress, state: 'done' | 'skipped' | 'failed'): void {
    if (file.size === undefined) this.unsized--
    this.active.delete(file)
    this[state]++
    this.enter(file, state)
  }
}

import type { LibrarianError } from '@arriero/api'

/** For several processes at one catalogue: who writes to an upload. */
export interface WriteGuard {
  /**
   * Resolves when it is this process's turn.
   *
   * @param onEnd called when it must stop: another process wants to write, or its turn could not be prolonged
   * @throws LibrarianError Locked
   */
  enter(token: string, onEnd: (why: LibrarianError) => void): Promise<WriteTurn>
}

/** To be disposed of when nothing is written any more. */
export interface WriteTurn extends AsyncDisposable {
  /** Rises with each turn of this upload, whichever process has it. */
  readonly number: number
  /** The process before may still write: its turn ended without its doing. */
  readonly isTakenOver: boolean
}

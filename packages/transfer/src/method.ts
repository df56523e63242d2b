/**
 * A way to move files from one librarian to another, or from store to store (librarian 9). Each implementation in `methods/`
 * passes one suite (`test/method-suite.ts`).
 *
 * A batch is begun once and asked after until it has ended, by whichever process asks: all that is known of it is in its
 * state, a JSON object whose form the wire defines for each kind, kept by the caller in its own database.
 */

export interface Method {
  /** Key under which it is offered, and by which the caller's rows name it. */
  readonly name: MethodName

  /** Why it cannot be used from this machine, in words; undefined: it can. Opens no connection. */
  whyNot(state: MethodState): string | undefined

  /**
   * Begins a batch, and does it where nobody else does it for us. An item whose bytes are all there is left alone, so a batch
   * that was interrupted may be given again. Nothing is said of contents: whoever receives compares them with the digests that
   * were announced.
   *
   * @returns what is to be kept of it, from now on instead of `state`
   * @throws TransferError where nothing was begun, or what was begun was broken off; the same batch may be given again if its
   *   code is retriable
   */
  transfer(items: readonly MethodItem[], options: TransferOptions): Promise<MethodState>

  /** Where it stands. An answer that cannot be had now is `unknown`, never a failure. */
  status(state: MethodState, options?: { signal?: AbortSignal }): Promise<MethodStanding>

  /**
   * Ends it, as far as that can be done. May be repeated, also of what has ended.
   *
   * @throws TransferError where nobody can be asked now
   */
  cancel(state: MethodState, options?: { signal?: AbortSignal }): Promise<void>

  /**
   * For the record of what was transferred, once it is complete; undefined: nothing is known of it.
   *
   * @throws TransferError where nobody can be asked now
   */
  details(state: MethodState, options?: { signal?: AbortSignal }): Promise<TransferDetails | undefined>
}

/** The methods that there are. */
export type MethodName = 'local' | 'rsync' | 'globus' | 'http'

/** As offered by a receiver, with what became of it since (librarian 9); fields that are not known stay as they are. */
export type MethodState = Readonly<Record<string, unknown>>

/** A file that a method moves: whence, whither, and what it must be. */
export interface MethodItem {
  /** Absolute path at the sender, of a file or a directory. */
  readonly source: string
  /** Absolute path at the receiver; its parents may be missing. */
  readonly target: string
  /** Bytes; of a directory, of all files in it. */
  readonly size: number
  readonly isTree: boolean
}

/** Options of a method's `transfer()`. */
export interface TransferOptions {
  /** State as offered, or as an earlier attempt has left it. */
  readonly state: MethodState
  /** For people who look at the other side's own list of transfers. */
  readonly label?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Bytes of the batch that have been moved so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** `running`: ask again · `unknown`: nobody could be asked; ask again · the others are final. */
export type MethodStanding =
  | { readonly status: 'running' | 'complete' }
  | { readonly status: 'failed' | 'unknown'; readonly reason: string }

/** A row of `completed_transfers` (librarian 3.9). Times are ISO 8601, UTC. */
export interface TransferDetails {
  readonly taskId: string
  readonly sourceEndpoint: string
  readonly destinationEndpoint: string
  readonly startTime: string
  readonly endTime: string
  /** s */
  readonly duration: number
  readonly bytes: number
  /** bytes/s */
  readonly bandwidth: number
}

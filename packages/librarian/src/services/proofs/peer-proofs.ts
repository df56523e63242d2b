/**
 * What other librarians show of their copies (reliability B1, B6, E5). A peer's word is a claim; it becomes a proof by a
 * challenge: we choose a nonce for each, read a copy of ours in full, and compute from these very bytes what SHA-256(nonce ∥
 * bytes) must be. What a peer answers otherwise, late or not at all proves nothing.
 *
 *   ask       every librarian that is known to hold the file, or those that are named, all at once and within a time limit
 *   compare   with what our own bytes give; if these are not what the catalogue has, nothing at all is proven
 *   record    a row of `remote_proof` for each copy that was told of
 *   release   the holds, as soon as nobody counts on the copies any more; else they end by themselves
 *
 * Independence (reliability B1): each answer is about a librarian's own copies and nothing behind it, so every pair of librarian
 * and store is there once, and none is ours. A librarian of release 5.0.1 cannot be challenged: what its `validate/file` says
 * of its own copies is `claimed`, and no more than a claim.
 */
import type { CopyState } from '../../catalogue/schema.ts'

export interface PeerProofs {
  /** Never rejects for what a peer does or says. @throws LibrarianError `NotFound`: we have no such file; the signal's reason */
  ask(request: PeerProofRequest): Promise<PeerProofReport>
  /** Ends holds early. Never rejects: what cannot be told ends by itself. */
  release(copies: readonly ProvenCopy[]): Promise<void>
}

export interface PeerProofRequest {
  readonly fileName: string
  /** Our copy that is read: the one that is to go, where one is. Default: the first that is available and not known to be bad. */
  readonly instanceId?: number | undefined
  /** That copy is in its store's trash already, under this id: then it is read there. */
  readonly trashId?: string | undefined
  /** So long, at least, a proven copy cannot be deleted over there, counted from the answer. 0: it is not held. */
  readonly holdSeconds: number
  /** Default: all that are known to hold it. */
  readonly librarians?: readonly string[] | undefined
  /** For all together, ms; a peer reads all bytes before it answers. Default 1 h. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface PeerProofReport {
  /** Our own bytes in the same reading. Only if `ok` can anything be in `proven`. */
  readonly own: {
    readonly instanceId: number | undefined
    readonly state: CopyState
    readonly reason?: string | undefined
  }
  /** Answered as our own bytes demand. The only ones that may count for a deletion. */
  readonly proven: readonly ProvenCopy[]
  /** Told of, and not right: damaged, unreadable, gone, or a wrong answer. One of them forbids a deletion (B3). */
  readonly disagreeing: readonly DisagreeingCopy[]
  /**
   * A librarian's word: of release 5.0.1, or where our own bytes were no measure, or where the copy could not be held. Counts for
   * nothing, unless the settings of the site say so.
   */
  readonly claimed: readonly PeerCopy[]
  /** Librarians that say that they hold no copy: that is no mismatch, and no proof. */
  readonly without: readonly string[]
  /** Librarians that were to be asked and gave no answer that could be understood (B3). */
  readonly unreachable: readonly { readonly librarian: string; readonly reason: string }[]
}

export interface PeerCopy {
  /** Its `name`. */
  readonly librarian: string
  /** The store's number there. */
  readonly storeId: number
  /** The copy's number there. */
  readonly instanceId: number
}

export interface ProvenCopy extends PeerCopy {
  /** Undefined: it is not held. */
  readonly holdId: string | undefined
  /**
   * Until then, by this process's monotonic clock (`clock.now()`, ms), the hold lasts for certain: whatever relies on it is in
   * the catalogue before, or is not done. 0 where it is not held.
   */
  readonly heldUntilMs: number
}

export interface DisagreeingCopy extends PeerCopy {
  /** As the peer told it; `mismatch` where it told `ok` and its answer was wrong. */
  readonly state: CopyState
  readonly reason: string
}

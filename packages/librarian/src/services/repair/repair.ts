/**
 * Repair of bad copies (reliability B5): a copy that is damaged, missing or unreadable gets good bytes from elsewhere, and
 * what it had is kept.
 *
 *   read        the copy, now: is it still bad?
 *   tx 1        the repair: nobody else repairs or deletes this copy meanwhile
 *   bring       bytes from a good copy at this site, else from a librarian that holds one, into a spool of this copy's store
 *   prepare     a private copy: digested, compared with what the catalogue has, durable
 *   tx 2        from here it goes forward
 *   replace     the bad bytes go to the quarantine, the good ones take the name; at no instant is a file's name without bytes
 *   tx 3        the copy is good, with its proof and its entry in the audit
 *   settle      what is left of the private copy and the spool goes
 *
 * Killed before tx 2, nothing has happened to the copy, and the next run begins anew; after it, `recover` replaces again, which
 * has the same end. The line that the store's trail has for the name is as true as it was: it says what must be there. Nothing
 * is ever deleted in order to be fetched. Where no good copy is found, all bad ones stay as they are, and an alarm says so.
 *
 * Of a real librarian nothing can be fetched: it is asked to send the file again (librarian 11.9), and what it then sends is
 * taken by `takeReplacement`, beside the bad copy, in the same steps.
 */
import type { CopyState } from '../../catalogue/schema.ts'
import type { Work } from '../../stores/store.ts'

export interface RepairService {
  /** Reads all copies of a file and repairs each bad one. @throws LibrarianError `NotFound` */
  repairFile(name: string, options: RepairOptions): Promise<RepairedCopy[]>
  /** All copies that the last reading has found bad. */
  repairAll(options: RepairAllOptions): Promise<RepairReport>
  /**
   * What an upstream librarian sent again takes the place of the bad copy. May be repeated.
   *
   * @throws LibrarianError `Conflict`: nothing is expected, or for another copy; `Mismatch`, `NoSpace`, `StoreUnavailable`, `Busy`
   */
  takeReplacement(replacement: Replacement): Promise<RepairedCopy>
  /** Goes on with, or gives up, what processes that are gone have begun. */
  recover(): Promise<void>
  /** Empties the quarantine of what has been there long enough, where good copies are read now. */
  purgeDue(options: { signal: AbortSignal }): Promise<{ readonly purged: number; readonly kept: number }>
}

export interface RepairOptions {
  /** A user, or `task:` and its name. */
  readonly actor: string
  /** Only says what would be done. Default: false. */
  readonly isDry?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface RepairAllOptions extends RepairOptions {
  readonly signal: AbortSignal
  readonly isOverdue: () => boolean
  readonly progress: (report: RepairReport) => void
}

export type RepairReport = Readonly<Record<RepairOutcome, number>>

/**
 * `good`: nothing to do · `repaired` · `repairable`: it would be · `requested`: an upstream librarian was asked to send it again ·
 * `kept`: bad, and as it was · `unavailable`: its store is not there
 */
export type RepairOutcome = 'good' | 'repaired' | 'repairable' | 'requested' | 'kept' | 'unavailable'

export interface RepairedCopy {
  readonly instanceId: number
  readonly storeName: string
  /** As the reading before it has found the copy. */
  readonly state: CopyState
  readonly outcome: RepairOutcome
  /** `store …` or `librarian …`. */
  readonly source?: string | undefined
  /** Where the bad bytes are kept. */
  readonly quarantineId?: string | undefined
  readonly reason?: string | undefined
}

/** What an upstream librarian sent: staged here, and complete. */
export interface Replacement {
  readonly fileName: string
  /** Of the incoming transfer. */
  readonly transferId: number
  /** Its name: the file's source. */
  readonly librarian: string
  /** Of the incoming transfer: must be the store of the bad copy. */
  readonly storeId: number
  readonly origin: Extract<Work['origin'], { readonly from: 'staging' | 'spool' | 'memory' }>
  readonly signal?: AbortSignal | undefined
}

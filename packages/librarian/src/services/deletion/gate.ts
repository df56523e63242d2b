/**
 * The deletion gate: the one way by which a copy's bytes leave their name, and this machine (reliability B1–B4, B6, B7, 8.12).
 *
 *   announce    from now on this copy is a proof for nobody, here or elsewhere, and no other copy of the file at this site goes
 *   read        every other copy of the file at this site that is on another device, in full, now
 *   challenge   where these are not enough: other librarians prove theirs, and hold them for as long as this takes
 *   demand      as many good ones as the floor says, and not a single bad one among them
 *   tx 1        the copy is going; the proofs are still there, nobody else counts on the copy; the brake allows it
 *   trash       its bytes move into the store's trash, on the same filesystem
 *   trail       a line in the store's manifest
 *   tx 2        its row goes; the trash's row stays, and the audit has who, why, and by which proofs
 *   (days)      until here it can be restored
 *   purge       all of the above from `read` on, for the trash; then its bytes go for ever
 *
 * A destruction (B8) takes the same way without the proofs: in tx 1 and at the purge two administrators must have agreed on it.
 *
 * It fails closed: what cannot be asked, read or written keeps the copy. Killed in between, `recover` looks where the bytes
 * are, and goes on or takes it back. What it refuses is in the audit too; where the brake refused, an alarm is raised, and
 * nothing more goes from that store until a person has cleared it.
 *
 * Why two sites never drop the same file relying on each other, whatever their clocks say: each announces before it asks, so of
 * all that go, the one that announced last has asked when the others had announced; what it relied on stays. Holds are a second
 * rope, for a librarian that has forgotten what it announced (decision 0034).
 */
import { createGround, type DeletionGateOptions } from './ground.ts'
import { type DeletionPlan, planDeletion } from './plan-deletion.ts'
import { type PurgeReport, purgeDue } from './purge-trash.ts'
import { recoverDeletions } from './recover-deletions.ts'
import { type Deletion, type DeletionRequest, type DestructionRequest, destroyCopy, removeCopy } from './remove-copy.ts'
import { type Restoration, type RestoreRequest, restoreCopy } from './restore-copy.ts'
import { createRetryRecovery } from './retry-recovery.ts'

export type { DeletionGateOptions } from './ground.ts'
export type { DeletionPlan } from './plan-deletion.ts'
export type { Deletion, DeletionRequest, DestructionRequest } from './remove-copy.ts'

export interface DeletionGate {
  /** @throws LibrarianError `NotFound`, `KeepsLastCopy`, `StoreUnavailable`, `Busy`, `TooMany`: then the copy is as before */
  remove(request: DeletionRequest): Promise<Deletion>
  /**
   * Lets a copy go that may be the last: the transaction demands that two administrators agreed on it. The trash keeps it for 30
   * days at least, and its purge asks for no proofs unless a copy was brought back.
   *
   * @throws LibrarianError `NotFound`, `Conflict`, `StoreUnavailable`, `Busy`, `TooMany`: then the copy is as before
   */
  destroy(request: DestructionRequest): Promise<Deletion>
  /**
   * What `remove` would find and say now: everything is read for it, and nothing is changed.
   *
   * @throws LibrarianError `NotFound`, `StoreUnavailable`
   */
  plan(request: Pick<DeletionRequest, 'instanceId' | 'floor' | 'remoteCopies'>): Promise<DeletionPlan>
  /** @throws LibrarianError `NotFound`, `Conflict`, `FileExists`, `StoreUnavailable`: then it is in the trash as before */
  restore(request: RestoreRequest): Promise<Restoration>
  /** Purges what has been in the trash long enough, oldest first, until the signal. */
  purgeDue(options?: { signal?: AbortSignal }): Promise<PurgeReport>
  /** Goes on with, or takes back, what was interrupted. What cannot be looked at is left. */
  recover(): Promise<void>
  /** What was interrupted stays as it is, for the next process. */
  close(): Promise<void>
}

export function createDeletionGate(options: DeletionGateOptions): DeletionGate {
  const ground = createGround(options)
  const { clock, log } = options
  const retries = createRetryRecovery({ recover: () => recoverDeletions(ground), clock, log })

  /** Whatever failed may have left something half: nobody should have to restart the server for it. */
  async function watched<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      retries.begin()
      throw error
    }
  }

  return {
    remove: request => watched(() => removeCopy(request, ground)),
    destroy: request => watched(() => destroyCopy(request, ground)),
    plan: request => planDeletion(request, ground),
    restore: request => watched(() => restoreCopy(request, ground)),
    async purgeDue({ signal } = {}) {
      const report = await purgeDue(ground, signal)
      if (report.kept > 0) retries.begin()
      return report
    },
    async recover() {
      if ((await recoverDeletions(ground)) > 0) retries.begin()
    },
    close: () => retries.close(),
  }
}

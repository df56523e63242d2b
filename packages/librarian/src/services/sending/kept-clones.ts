/** Receivers report what they keep now (librarian 10.3), and operators look at what is under way. */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import {
  type CompletedClones,
  type KeptClone,
  type OutgoingSearch,
  refusalOf,
} from '../../catalogue/operations/outgoing.ts'
import type { OutgoingTransfer } from '../../catalogue/operations/outgoing-states.ts'
import type { Caller } from '../../routes/route.ts'
import type { Wake } from './wake.ts'

export interface KeptClones {
  /** @throws LibrarianError `NotFound`, `UnknownLibrarian`, `Conflict` */
  complete(clone: KeptClone, caller: Caller): Promise<void>
  completeMany(clones: readonly KeptClone[], caller: Caller): Promise<CompletedClones>
  list(search: OutgoingSearch): Promise<OutgoingTransfer[]>
}

export interface KeptClonesOptions {
  readonly catalogue: Pick<Catalogue, 'outgoing'>
  /** Our own. */
  readonly name: string
  readonly wake: Pick<Wake, 'want'>
}

export function createKeptClones({ catalogue: { outgoing }, name: sender, wake }: KeptClonesOptions): KeptClones {
  async function completeMany(clones: readonly KeptClone[], { name, level }: Caller): Promise<CompletedClones> {
    const report = await outgoing.complete({ clones, destination: level === 'ADMIN' ? undefined : name, sender })
    // A batch of which all has been reported need not be asked after.
    if (report.completed.length > 0) wake.want('check')
    return report
  }

  return {
    completeMany,
    async complete(clone, caller) {
      const [refused] = (await completeMany([clone], caller)).refused
      if (refused) throw refusalOf(refused)
    },
    list: search => outgoing.list(search),
  }
}

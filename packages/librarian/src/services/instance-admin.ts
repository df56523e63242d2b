/** What an administrator does to single copies (librarian 10.8). */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Caller } from '../routes/route.ts'
import type { Act } from './act.ts'
import type { DeletionGate } from './deletion/gate.ts'

export interface InstanceAdmin {
  /**
   * With the bytes: through the deletion gate, which keeps the last good copy. Without: the copy is not offered any more, and
   * its row goes on naming the bytes, so that nothing lies in a store unexplained (A6); `arriero doctor --catalogue` lists it.
   */
  deleteLocal(
    instanceId: number,
    options: { deletesFile: boolean; act?: Act | undefined },
    caller: Caller,
  ): Promise<void>
  /** Only our knowledge of it: the other librarian keeps its copy. */
  deleteRemote(remoteInstanceId: number, act?: Act): Promise<void>
}

export interface InstanceAdminOptions {
  readonly catalogue: Pick<Catalogue, 'deletions'>
  readonly gate: DeletionGate
}

export function createInstanceAdmin({ catalogue, gate }: InstanceAdminOptions): InstanceAdmin {
  return {
    async deleteLocal(instanceId, { deletesFile, act }, { name }) {
      if (deletesFile) {
        await gate.remove({ instanceId, actor: name, reason: 'an administrator asked for it', call: act?.action })
        // The gate's own entry says more, and is in the transaction that let the copy go.
        act?.handOn()
        return
      }
      if (await catalogue.deletions.withdraw({ instanceId, act: act?.entry() })) return
      throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
    },

    async deleteRemote(remoteInstanceId, act) {
      if (await catalogue.deletions.forgetRemote({ remoteInstanceId, act: act?.entry() })) return
      const message = `Cannot delete remote copy ${remoteInstanceId}: there is none with this number`
      throw new LibrarianError('NotFound', message)
    },
  }
}

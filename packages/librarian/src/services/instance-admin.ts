/** What an administrator does to single copies (librarian 10.8). */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Caller } from '../routes/route.ts'
import type { DeletionGate } from './deletion/gate.ts'

export interface InstanceAdmin {
  /**
   * With the bytes: through the deletion gate, which keeps the last good copy. Without: the copy is not offered any more, and
   * its row goes on naming the bytes, so that nothing lies in a store unexplained (A6); `arriero doctor --catalogue` lists it.
   */
  deleteLocal(instanceId: number, options: { deletesFile: boolean }, caller: Caller): Promise<void>
  /** Only our knowledge of it: the other librarian keeps its copy. */
  deleteRemote(remoteInstanceId: number): Promise<void>
}

export interface InstanceAdminOptions {
  readonly catalogue: Pick<Catalogue, 'deletions'>
  readonly gate: DeletionGate
}

export function createInstanceAdmin({ catalogue, gate }: InstanceAdminOptions): InstanceAdmin {
  return {
    async deleteLocal(instanceId, { deletesFile }, { name }) {
      if (deletesFile) {
        await gate.remove({ instanceId, reason: `admin/instance/delete_local by ${name}` })
        return
      }
      if (await catalogue.deletions.withdraw({ instanceId })) return
      throw new LibrarianError('NotFound', `Cannot delete copy ${instanceId}: there is none with this number`)
    },

    async deleteRemote(remoteInstanceId) {
      if (await catalogue.deletions.forgetRemote({ remoteInstanceId })) return
      const message = `Cannot delete remote copy ${remoteInstanceId}: there is none with this number`
      throw new LibrarianError('NotFound', message)
    },
  }
}

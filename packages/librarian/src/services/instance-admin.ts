/** What an administrator does to single copies (librarian 10.8). */
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Caller } from '../routes/route.ts'
import type { Stores } from '../stores/stores.ts'
import type { Act } from './act.ts'
import type { Deletion, DeletionGate, DeletionPlan } from './deletion/gate.ts'

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
  /** What deleting the copy of a file on a store would find, without doing it. @throws LibrarianError `UnknownStore`, `NotFound` */
  plan(copy: NamedCopy): Promise<DeletionPlan & { readonly instanceId: number }>
  /** Deletes it, through the gate. */
  delete(
    copy: NamedCopy,
    options: { reason: string; act?: Act | undefined },
    caller: Caller,
  ): Promise<Deletion & { readonly instanceId: number }>
  /** Only our knowledge of it: the other librarian keeps its copy. */
  deleteRemote(remoteInstanceId: number, act?: Act): Promise<void>
}

/** A copy as people call it. */
export interface NamedCopy {
  readonly fileName: string
  readonly storeName: string
  /** Good copies that must be at other librarians. */
  readonly remoteCopies?: number | undefined
}

export interface InstanceAdminOptions {
  readonly catalogue: Pick<Catalogue, 'deletions' | 'instances'>
  readonly stores: Pick<Stores, 'byName'>
  readonly gate: DeletionGate
}

export function createInstanceAdmin({ catalogue, stores, gate }: InstanceAdminOptions): InstanceAdmin {
  async function find({ fileName, storeName }: NamedCopy): Promise<number> {
    const store = stores.byName(storeName)
    if (!store) throw new LibrarianError('UnknownStore', `Cannot look on ${storeName}: there is no such store`)
    const [copy] = await catalogue.instances.searchLocal({ file_name: fileName, store_id: store.id, limit: 1 })
    if (copy) return copy.id
    throw new LibrarianError('NotFound', `Store ${storeName} has no copy of ${fileName}`)
  }

  return {
    async plan(copy) {
      const instanceId = await find(copy)
      return { ...(await gate.plan({ instanceId, remoteCopies: copy.remoteCopies })), instanceId }
    },

    async delete(copy, { reason, act }, { name }) {
      const instanceId = await find(copy)
      const { remoteCopies } = copy
      const deletion = await gate.remove({ instanceId, remoteCopies, actor: name, reason, call: act?.action })
      act?.handOn()
      return { ...deletion, instanceId }
    },

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

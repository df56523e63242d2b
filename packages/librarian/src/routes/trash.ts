/** What was deleted and can be brought back (reliability B2). */
import { endpoints } from '@arriero/api'
import type { DeletionGate } from '../services/deletion/gate.ts'
import type { TrashList } from '../services/trash.ts'
import { type Route, route } from './route.ts'

const { admin } = endpoints

const most = 999

export function trashRoutes({ trash, gate }: { trash: TrashList; gate: Pick<DeletionGate, 'restore'> }): Route[] {
  return [
    route(admin.trashList, async ({ store_name: storeName, after, max_results }) => {
      const limit = Math.max(0, Math.min(max_results, most))
      const page = await trash.list({ storeName, after, limit })
      return {
        trash: page.trash.map(each => ({
          trash_id: each.id,
          file_name: each.fileName,
          store_name: each.storeName,
          instance_path: each.path,
          deleted_by: each.actor,
          reason: each.reason,
          deleted_time: each.deletedTime,
          purge_time: each.purgeTime,
        })),
        next: page.next ?? null,
      }
    }),
    route(admin.trashRestore, async ({ trash_id: id }, { caller, act }) => {
      const { fileName, instanceId, state } = await gate.restore({ id, actor: caller.name, call: act?.action })
      // The gate's own entry is in the transaction that brought the copy back.
      act?.handOn()
      return { success: true, file_name: fileName, instance_id: instanceId, state }
    }),
  ]
}

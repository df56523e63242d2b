/** Files that are there already, and single copies (librarian 10.8). */
import { endpoints } from '@arriero/api'
import type { AddFile } from '../services/add-file.ts'
import type { InstanceAdmin } from '../services/instance-admin.ts'
import { type Route, route } from './route.ts'

const { admin, deletion } = endpoints

export function instanceRoutes({ addFile, instances }: { addFile: AddFile; instances: InstanceAdmin }): Route[] {
  return [
    route(admin.addFile, async (request, { act }) => {
      const file = {
        name: request.name,
        createTime: request.create_time,
        size: request.size,
        checksum: request.checksum,
        uploader: request.uploader,
        source: request.source,
        path: request.path,
        storeName: request.store_name,
      }
      const end = await addFile(file, act)
      return { already_exists: end === 'already-exists', file_exists: end === 'added', success: true }
    }),
    route(admin.instanceDeleteLocal, async ({ instance_id, delete_file }, { caller, act }) => {
      await instances.deleteLocal(instance_id, { deletesFile: delete_file ?? false, act }, caller)
      return { success: true, instance_id }
    }),
    route(deletion.plan, async ({ file_name: fileName, store_name: storeName, remote_copies: remoteCopies }) => {
      const plan = await instances.plan({ fileName, storeName, remoteCopies })
      return {
        may_go: plan.whyNot === undefined,
        why_not: plan.whyNot ?? null,
        file_name: plan.fileName,
        store_name: plan.storeName,
        instance_id: plan.instanceId,
        instance_path: plan.path,
        size: plan.size,
        deletion_policy: plan.deletionPolicy,
        copies_needed: plan.floor,
        remote_copies_needed: plan.remoteCopies,
        evidence: plan.evidence.map(({ librarian, store, instance, state, medium, time }) => {
          return { librarian: librarian ?? null, store, instance_id: instance, state, medium, time: time ?? null }
        }),
        trash_seconds: plan.purgeAfterSeconds,
      }
    }),
    route(deletion.remove, async ({ reason, ...named }, { caller, act }) => {
      const { file_name: fileName, store_name: storeName, remote_copies: remoteCopies } = named
      const gone = await instances.delete({ fileName, storeName, remoteCopies }, { reason, act }, caller)
      return {
        success: true,
        trash_id: gone.id,
        file_name: gone.fileName,
        instance_id: gone.instanceId,
        proofs: gone.proofInstanceIds.length,
        remote_proofs: gone.remoteProofs,
      }
    }),
    route(admin.instanceDeleteRemote, async ({ instance_id }, { act }) => {
      await instances.deleteRemote(instance_id, act)
      return { success: true, instance_id }
    }),
  ]
}

/** Files that are there already, and single copies (librarian 10.8). */
import { endpoints } from '@arriero/api'
import type { AddFile } from '../services/add-file.ts'
import type { InstanceAdmin } from '../services/instance-admin.ts'
import { type Route, route } from './route.ts'

const { admin } = endpoints

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
    route(admin.instanceDeleteRemote, async ({ instance_id }, { act }) => {
      await instances.deleteRemote(instance_id, act)
      return { success: true, instance_id }
    }),
  ]
}

/** Comparing copies with what was recorded (librarian 10.9). */
import { endpoints, toNaive } from '@arriero/api'
import type { Validation } from '../services/validation.ts'
import { type Route, route } from './route.ts'

export function validateRoutes(validation: Validation, { librarianName }: { librarianName: string }): Route[] {
  return [
    route(endpoints.validate.file, async ({ file_name }) => {
      const copies = await validation.validate(file_name)
      return copies.map(({ file, instance, storeName, checksum, size, isSame, checkedTime, state, reason }) => ({
        librarian: librarianName,
        store: instance.store_id,
        store_name: storeName,
        instance_id: instance.id,
        original_checksum: file.checksum,
        original_size: file.size,
        current_checksum: checksum,
        current_size: size,
        computed_same_checksum: isSame,
        checked_time: toNaive(checkedTime),
        state,
        reason,
      }))
    }),
  ]
}

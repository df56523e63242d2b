/** A downstream librarian asks for a good copy (librarian 10.10). */
import { endpoints } from '@arriero/api'
import type { Resend } from '../services/sending/resend.ts'
import { type Route, route } from './route.ts'

const { corrupt } = endpoints

export function corruptRoutes(service: Resend): Route[] {
  const orderOf = (request: { file_name: string; librarian_name: string }, { name }: { name: string }) => ({
    fileName: request.file_name,
    librarianName: request.librarian_name,
    caller: name,
  })
  return [
    route(corrupt.prepare, async (request, { caller, signal }) => {
      await service.prepare(orderOf(request, caller), { signal })
      return { ready: true }
    }),
    route(corrupt.resend, async (request, { caller, signal }) => {
      const destination_transfer_id = await service.resend(orderOf(request, caller), { signal })
      return { success: true, destination_transfer_id }
    }),
  ]
}

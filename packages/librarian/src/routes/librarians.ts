/** Other librarians (librarian 10.8). */
import { endpoints } from '@arriero/api'
import type { Peers } from '../services/peers.ts'
import { type Route, route } from './route.ts'

export function librarianRoutes(peers: Peers): Route[] {
  return [
    route(endpoints.admin.librariansList, async ({ ping }, { signal }) => ({
      librarians: (await peers.list({ ping, signal })).map(({ refusedSince, ...peer }) => ({
        ...peer,
        // Of ours: left out where there is nothing to say.
        ...(refusedSince === null ? {} : { refused_since: refusedSince }),
      })),
    })),
    route(endpoints.admin.librariansAdd, async (request, { signal, act }) => {
      const { librarian_name: name, url, port, authenticator, check_connection: check, check_account } = request
      const added = { name, url, port, authenticator, check, checkAccount: check_account }
      const { success, alreadyExists, pingSuccess, problem } = await peers.add(added, { signal, act })
      return { success, already_exists: alreadyExists, ping_success: pingSuccess, problem }
    }),
    route(endpoints.admin.librariansRemove, async (request, { signal, act }) => {
      const failTransfers = request.remove_outgoing_transfers
      const count = await peers.remove(request.librarian_name, { failTransfers, signal, act })
      return { success: true, number_of_transfers_removed: count }
    }),
    route(endpoints.admin.transferStatusChange, async ({ librarian_name, transfers_enabled }, { act }) => {
      await peers.setTransfersEnabled(librarian_name, transfers_enabled, act)
      return { librarian_name, transfers_enabled }
    }),
  ]
}

/** Finding files, copies and errors (librarian 10.5). */
import { endpoints } from '@arriero/api'
import type { Search } from '../services/search.ts'
import { type Route, route } from './route.ts'

export function searchRoutes(search: Search): Route[] {
  return [
    route(endpoints.search.file, search.files),
    route(endpoints.search.error, search.errors),
    route(endpoints.search.instanceLocal, search.localInstances),
    route(endpoints.search.instanceRemote, search.remoteInstances),
  ]
}

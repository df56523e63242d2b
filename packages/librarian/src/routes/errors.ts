/** Recorded errors (librarian 10.6). */
import { endpoints } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { type Route, route } from './route.ts'

export function errorRoutes(errors: Catalogue['errors']): Route[] {
  return [
    route(endpoints.error.clear, async ({ id }) => {
      const { clearedTime } = await errors.clear({ id })
      return { id, cleared_time: clearedTime, cleared: true }
    }),
    route(endpoints.error.raise, async ({ severity, category, message }, { caller }) => {
      const { id, raisedTime } = await errors.raise({ severity, category, message, caller: caller.name })
      return { id, raised_time: raisedTime }
    }),
  ]
}

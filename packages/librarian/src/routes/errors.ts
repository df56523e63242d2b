/** Recorded errors (librarian 10.6). */
import { endpoints } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { type Route, route } from './route.ts'

export function errorRoutes(errors: Catalogue['errors']): Route[] {
  return [
    route(endpoints.error.clear, async ({ id }, { act }) => {
      const { clearedTime } = await errors.clear({ id, act: act?.entry() })
      return { id, cleared_time: clearedTime, cleared: true }
    }),
    route(endpoints.error.raise, async ({ severity, category, message }, { caller, act }) => {
      const error = { severity, category, message, caller: caller.name, act: act?.entry() }
      const { id, raisedTime } = await errors.raise(error)
      return { id, raised_time: raisedTime }
    }),
  ]
}

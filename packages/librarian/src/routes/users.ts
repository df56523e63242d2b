/** Users (librarian 10.7). */
import { endpoints } from '@arriero/api'
import type { Users } from '../services/users.ts'
import { type Route, route } from './route.ts'

const most = 1000

export function userRoutes(users: Users): Route[] {
  return [
    route(endpoints.users.create, async ({ username, password, permission }, { act }) => {
      await users.create({ username, password, level: permission }, act)
      return { success: true, username }
    }),
    route(endpoints.users.update, async ({ username, password, permission }, { caller, act }) => {
      await users.update({ username, password, level: permission }, caller, act)
      return { success: true, username }
    }),
    route(endpoints.users.delete, async ({ username }, { caller, act }) => {
      await users.remove(username, caller, act)
      return { success: true, username }
    }),
    route(endpoints.users.get, async ({ username }) => ({ username, permission: await users.levelOf(username) })),
    route(endpoints.users.passwordUpdate, async ({ password, new_password }, { caller, act }) => {
      await users.changePassword({ username: caller.name, old: password, new: new_password }, act)
      return { success: true, username: caller.name }
    }),
    route(endpoints.users.list, async ({ after, max_results }) => {
      const limit = Math.max(0, Math.min(max_results, most))
      const found = await users.list({ after, limit: limit + 1 })
      const page = found.slice(0, limit)
      return {
        users: page.map(({ username, level }) => ({ username, permission: level })),
        next: found.length > limit ? (page.at(-1)?.username ?? null) : null,
      }
    }),
  ]
}

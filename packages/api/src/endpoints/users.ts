/**
 * Users (librarian 10.7). Real clients take the phrases "User already exists" and "User not found" in a reason for something
 * else, so no reason here holds them (librarian Q6).
 */
import { z } from 'zod'
import { endpoint } from '../endpoint.ts'
import { maxResults, optional, text } from '../values/lax.ts'
import { level } from '../values/level.ts'

const changed = z.object({ success: z.boolean(), username: z.string() })

const unchanged = (request: { readonly username: string }) => ({ success: false, username: request.username })

const missing = {
  NotFound: { status: 400, reason: 'There is no user of this name.' },
} as const

export const users = {
  create: endpoint({
    path: 'users/create',
    level: 'ADMIN',
    summary: 'Add a user.',
    request: z.object({ username: text, password: text, permission: level.asked }),
    answer: changed,
    status: 201,
    failures: { Conflict: { status: 400, reason: 'There is a user of this name.' } },
    failureFields: unchanged,
    mutates: true,
  }),
  update: endpoint({
    path: 'users/update',
    level: 'ADMIN',
    summary: 'Change a user’s password or level.',
    request: z.object({ username: text, password: optional(text), permission: optional(level.asked) }),
    answer: changed,
    failures: missing,
    failureFields: unchanged,
    mutates: true,
  }),
  delete: endpoint({
    path: 'users/delete',
    level: 'ADMIN',
    summary: 'Remove a user.',
    request: z.object({ username: text }),
    answer: changed,
    failures: missing,
    failureFields: unchanged,
    mutates: true,
  }),
  get: endpoint({
    path: 'users/get',
    level: 'ADMIN',
    summary: 'Look a user up.',
    request: z.object({ username: text }),
    answer: z.object({ username: z.string(), permission: level.told }),
    failures: missing,
    failureFields: request => ({ username: request.username, permission: 0 }),
    mutates: false,
  }),
  passwordUpdate: endpoint({
    path: 'users/password_update',
    level: 'READONLY',
    summary: 'Change one’s own password.',
    request: z.object({ password: text, new_password: text }),
    answer: changed,
    failures: missing,
    mutates: true,
  }),
  list: endpoint({
    path: 'users/list',
    level: 'ADMIN',
    summary: 'List users by name.',
    request: z.object({
      /** The last user of the page before. */
      after: optional(text),
      max_results: maxResults,
    }),
    answer: z.object({
      users: z.array(z.object({ username: z.string(), permission: level.told })),
      /** For `after` of the next page; null: there is none. */
      next: z.string().nullable(),
    }),
    mutates: false,
    isOurs: true,
  }),
}

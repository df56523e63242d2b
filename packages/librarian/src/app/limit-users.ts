/** Requests of one user at a time: one runaway program shall not keep out everybody else. */
import type { ServerResponse } from 'node:http'
import { LibrarianError } from '@arriero/api'

/** `TooMany`. Counts until the response has ended. */
export type EnterUser = (name: string, response: ServerResponse) => void

export function createUserLimit(most: number): EnterUser {
  const counts = new Map<string, number>()
  return (name, response) => {
    const count = (counts.get(name) ?? 0) + 1
    if (count > most) {
      throw new LibrarianError('TooMany', `Cannot take another request: ${most} of this user are under way`, {
        retryAfterSeconds: 1,
      })
    }
    counts.set(name, count)
    response.once('close', () => {
      const left = (counts.get(name) ?? 1) - 1
      if (left === 0) counts.delete(name)
      else counts.set(name, left)
    })
  }
}

/** What other librarians ask of our copies (decision 0031). */
import { endpoints } from '@arriero/api'
import type { Challenges } from '../services/proofs/answer-challenges.ts'
import { type Route, route } from './route.ts'

export function proofRoutes(challenges: Challenges, { librarianName }: { librarianName: string }): Route[] {
  return [
    route(endpoints.proof.challenge, async ({ file_name, nonce, hold_seconds }, { caller, signal }) => {
      const challenge = { fileName: file_name, nonce, holdSeconds: hold_seconds, by: caller.name, signal }
      const copies = await challenges.answer(challenge)
      return {
        librarian: librarianName,
        copies: copies.map(({ storeId, instanceId, state, size, answer, holdId }) => ({
          store_id: storeId,
          instance_id: instanceId,
          state,
          size: size ?? null,
          answer: answer ?? null,
          hold_id: holdId ?? null,
        })),
      }
    }),
    route(endpoints.proof.release, async ({ hold_ids }, { caller }) => ({
      released: await challenges.release(hold_ids, caller.name),
    })),
  ]
}

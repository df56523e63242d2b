/** Whether a copy may be deleted when it is no longer needed (librarian 2). */
import { z } from 'zod'
import { namedNumbers } from './named-numbers.ts'

/** Whether a copy may be deleted by rules, with its number on the wire. */
export const deletionPolicies = { DISALLOWED: 0, ALLOWED: 1 } as const

/** One of `deletionPolicies`. */
export type DeletionPolicy = keyof typeof deletionPolicies

export const deletionPolicy = namedNumbers(deletionPolicies)

/** The name of a policy's number on the wire; undefined for any other number. */
export function deletionPolicyOf(number: number): DeletionPolicy | undefined {
  return deletionPolicy.nameOf(number)
}

/**
 * The text of an upload commit. The older client sends the digit, people write the name; what is neither is the safe one, as
 * it always was (librarian 10.2, Q1).
 */
export const deletionPolicyText = z
  .string()
  .meta({ description: 'ALLOWED, 1, DISALLOWED or 0, in any case' })
  .transform((text): DeletionPolicy => policyOf(text) ?? 'DISALLOWED')

/** The text of a search, where anything else is a mistake (librarian 10.5). */
export const deletionPolicyFilter = z
  .string()
  .meta({ description: 'ALLOWED, 1, DISALLOWED or 0, in any case' })
  .transform((text, context): DeletionPolicy => {
    const policy = policyOf(text)
    if (policy) return policy
    context.addIssue({ code: 'custom', message: 'must be ALLOWED, DISALLOWED, 1 or 0', input: text })
    return z.NEVER
  })

function policyOf(text: string): DeletionPolicy | undefined {
  const word = text.trim().toUpperCase()
  if (word === 'ALLOWED' || word === '1') return 'ALLOWED'
  return word === 'DISALLOWED' || word === '0' ? 'DISALLOWED' : undefined
}

/** Another librarian that does not let us in: it is told once, and what is to be sent there waits until it does. */
import { LibrarianError } from '@arriero/api'
import type { SendingParts } from './parts.ts'

/** What no later attempt can mend, of any file. */
export function isRefusal(error: unknown): error is LibrarianError {
  return error instanceof LibrarianError && (error.code === 'Denied' || error.code === 'NotAuthenticated')
}

/** Resolves to what a task says of it. */
export async function tellRefused(
  { catalogue, alarms }: Pick<SendingParts, 'catalogue' | 'alarms'>,
  destination: string,
  { message }: LibrarianError,
): Promise<string> {
  await catalogue.peers.refuse({ name: destination, refuses: true })
  await alarms.raise({
    severity: 'error',
    category: 'configuration',
    message: `Nothing can be sent to ${destination}: it does not accept our account or password there (${message}); remove it and add it again with the right one`,
    caller: 'send_clone',
  })
  return `${destination} does not accept our account`
}

/** Basic credentials in UTF-8 (librarian 5.1). */
import { LibrarianError } from '../errors.ts'

const MAX_BYTES = 1024

/** The value of the header `Authorization`. @throws LibrarianError Configuration, without a word of the password. */
export function basicAuthorization(user: string, password: string): string {
  // A server splits at the first colon, so a user name with one would be another user.
  if (user.includes(':'))
    throw new LibrarianError('Configuration', 'Cannot log in: the user name must not have a colon')
  const bytes = new TextEncoder().encode(`${user}:${password}`)
  if (bytes.length > MAX_BYTES) {
    throw new LibrarianError('Configuration', `Cannot log in: user and password must have at most ${MAX_BYTES} bytes`)
  }
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}

import { LibrarianError } from '@arriero/api'

export interface AskedSite {
  readonly librarian_name: string
  readonly url: string
  readonly port: number
  /** `user:password`. */
  readonly authenticator: string
}

/** What was filled in, as the wire takes it. A colon in the user’s name would be read as the end of it. */
export function siteOf(field: (name: string) => string): AskedSite {
  const user = field('user').trim()
  if (user.includes(':')) {
    throw new LibrarianError('Unacceptable', 'A user name has no colon.', {
      remedy: 'Ask its operator for another account.',
    })
  }
  return {
    librarian_name: field('name').trim(),
    url: field('url').trim().replace(/\/+$/, ''),
    port: Number(field('port')),
    authenticator: `${user}:${field('password')}`,
  }
}
